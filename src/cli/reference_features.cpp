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

Images load_images(const std::string& path, const ModelSummary& model, std::int64_t most) {
  TrainingOptions options;
  options.images = path;
  options.size = model.height;
  options.channels = model.channels == 1 || model.channels == 3 ? model.channels : 0;
  const auto source = detail::open_images(options);
  check_memory(model, std::min(most, source->count));
  std::vector<std::int64_t> indices(static_cast<std::size_t>(std::min(most, source->count)));
  for (std::int64_t i = 0; i < std::ssize(indices); ++i) indices[static_cast<std::size_t>(i)] = i * source->count / std::ssize(indices);
  return detail::read_images(*source, indices);
}

RealFeatures from_images(const Images& images, const FeatureExtractor& extractor) {
  RealFeatures real;
  real.features = extractor.extract(images).features;
  real.statistics = detail::feature_statistics(*real.features);
  return real;
}

RealFeatures from_file(const std::string& path, const FeatureExtractor& extractor, std::int64_t dimensions) {
  detail::Reference file = detail::read_reference(path);
  RealFeatures real;
  if (file.images) {
    real = from_images(*file.images, extractor);
    // The same network's statistics may come of more images than the file holds.
    if (file.statistics && file.statistics->mean.size() == dimensions) real.statistics = std::move(file.statistics);
    return real;
  }
  real.features = std::move(file.features);
  real.statistics = std::move(file.statistics);
  if (!real.statistics && real.features) real.statistics = detail::feature_statistics(*real.features);
  const std::int64_t found = real.statistics->mean.size();
  if (found != dimensions) {
    raise<ModelError>({path, "hold features of " + show(dimensions) + " numbers, as " + extractor.name() + " gives", "holds " + show(found),
                       "name the network that made them with --features"});
  }
  return real;
}

}  // namespace

RealFeatures reference_features(const ReferenceFlags& flags, const FeatureExtractor& extractor, std::int64_t dimensions,
                                const ModelSummary& model) {
  const bool is_archive = std::string_view(flags.path).ends_with(".npz");
  RealFeatures real =
      is_archive ? from_file(flags.path, extractor, dimensions) : from_images(load_images(flags.path, model, flags.images), extractor);
  if (!flags.save.empty()) {
    detail::Reference reference;
    reference.statistics = real.statistics;
    reference.features = real.features;
    detail::write_reference(flags.save, reference);
  }
  return real;
}

}  // namespace adadiff::cli
