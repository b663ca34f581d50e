// Reads the reference, whichever form it has, and computes what is missing.
#include "cli/reference_features.h"

#include <algorithm>
#include <string_view>

#include "core/check.h"
#include "evaluation/statistics_file.h"
#include "training/image_source.h"
#include "training/task.h"

namespace adadiff::cli {
namespace {

using detail::FeatureExtractor;
using detail::raise;
using detail::RealFeatures;
using detail::show;

void check_memory(const ModelSummary& model, std::int64_t images) {
  constexpr std::int64_t kMostBytes = std::int64_t{16} << 30;
  const std::int64_t bytes = model.channels * model.height * model.width * images;
  if (bytes > kMostBytes) {
    raise({"--references", "be images of at most " + show(kMostBytes) + " bytes together", "are " + show(bytes)});
  }
}

/// Numbers below `count`, at most `most`, spread evenly.
std::vector<std::int64_t> spread(std::int64_t count, std::int64_t most) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(std::min(most, count)));
  for (std::int64_t i = 0; i < std::ssize(indices); ++i) indices[static_cast<std::size_t>(i)] = i * count / std::ssize(indices);
  return indices;
}

Images load_images(const std::string& path, const ModelSummary& model, std::int64_t most) {
  TrainingOptions options;
  options.images = path;
  options.size = model.height;
  options.channels = model.channels == 1 || model.channels == 3 ? model.channels : 0;
  const auto source = detail::open_images(options);
  check_memory(model, std::min(most, source->count));
  return detail::read_images(*source, spread(source->count, most));
}

/// Moves the chosen images to the front and drops the rest.
Images thinned(Images images, std::int64_t most) {
  const std::vector<std::int64_t> chosen = spread(images.count, most);
  const std::int64_t bytes = images.height * images.width * images.channels;
  for (std::int64_t i = 0; i < std::ssize(chosen); ++i) {
    const auto* from = images.pixels.data() + chosen[static_cast<std::size_t>(i)] * bytes;
    std::copy(from, from + bytes, images.pixels.data() + i * bytes);  // never behind where it is read
  }
  images.count = std::ssize(chosen);
  images.pixels.resize(static_cast<std::size_t>(images.count * bytes));
  return images;
}

detail::Features thinned(const detail::Features& features, std::int64_t most) {
  const std::vector<std::int64_t> chosen = spread(features.rows(), most);
  return features(chosen, Eigen::all);
}

RealFeatures from_images(const Images& images, const FeatureExtractor& extractor) {
  RealFeatures real;
  real.features = extractor.extract(images).features;
  real.statistics = detail::feature_statistics(*real.features);
  return real;
}

RealFeatures from_file(const ReferenceFlags& flags, const FeatureExtractor& extractor, std::int64_t dimensions) {
  detail::Reference file = detail::read_reference(flags.path);
  RealFeatures real;
  if (file.images) {
    real = from_images(thinned(std::move(*file.images), flags.images), extractor);
    // The same network's statistics may come of more images than the file holds.
    if (file.statistics && file.statistics->mean.size() == dimensions) real.statistics = std::move(file.statistics);
    return real;
  }
  if (file.features) real.features = thinned(*file.features, flags.images);
  real.statistics = std::move(file.statistics);
  if (!real.statistics && real.features) real.statistics = detail::feature_statistics(*real.features);
  const std::int64_t found = real.statistics->mean.size();
  if (found != dimensions) {
    raise<ModelError>({flags.path, "hold features of " + show(dimensions) + " numbers, as " + extractor.name() + " gives",
                       "holds " + show(found), "name the network that made them with --features"});
  }
  return real;
}

}  // namespace

RealFeatures reference_features(const ReferenceFlags& flags, const FeatureExtractor& extractor, std::int64_t dimensions,
                                const ModelSummary& model) {
  const bool is_archive = std::string_view(flags.path).ends_with(".npz");
  RealFeatures real =
      is_archive ? from_file(flags, extractor, dimensions) : from_images(load_images(flags.path, model, flags.images), extractor);
  if (!flags.save.empty()) {
    detail::Reference reference;
    reference.statistics = real.statistics;
    reference.features = real.features;
    detail::write_reference(flags.save, reference);
  }
  return real;
}

}  // namespace adadiff::cli
