// Reads the reference, whichever form it has, and computes what is missing.
#include "cli/reference_features.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/check.h"
#include "evaluation/spread.h"
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

std::vector<std::int64_t> some_of(std::int64_t count, std::int64_t most) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(std::min(most, count)));
  for (std::int64_t i = 0; i < std::ssize(indices); ++i)
    indices[static_cast<std::size_t>(i)] = detail::evenly_spread(i, std::ssize(indices), count);
  return indices;
}

Images load_images(const std::string& path, const ModelSummary& model, std::int64_t most) {
  TrainingOptions options;
  options.images = path;
  options.size = model.height;
  options.channels = model.channels == 1 || model.channels == 3 ? model.channels : 0;
  const auto source = detail::open_images(options);
  check_memory(model, std::min(most, source->count));
  return detail::read_images(*source, some_of(source->count, most));
}

RealFeatures from_images(const Images& images, const FeatureExtractor& extractor) {
  RealFeatures real;
  real.features = extractor.extract(images).features;
  real.gaussian.emplace(detail::feature_statistics(*real.features));
  return real;
}

/// Before images are drawn, which may take hours.
detail::GaussianReference checked(detail::FeatureStatistics statistics, const std::string& path) {
  try {
    return detail::GaussianReference(std::move(statistics), path + ":");
  } catch (const InvalidArgument& error) {
    throw ModelError(error.what());
  }
}

RealFeatures from_file(const ReferenceFlags& flags, const FeatureExtractor& extractor, std::int64_t dimensions) {
  detail::Reference file =
      detail::read_reference(flags.path, {.dimensions = dimensions, .network = extractor.name(), .most_samples = flags.images});
  RealFeatures real;
  if (file.images) real.features = extractor.extract(*file.images).features;
  if (file.features) real.features = std::move(file.features);
  // The file's statistics may come of more images than it holds.
  real.gaussian = checked(file.statistics ? std::move(*file.statistics) : detail::feature_statistics(*real.features), flags.path);
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
    reference.statistics = real.gaussian->statistics();
    reference.features = real.features;
    detail::write_reference(flags.save, reference);
  }
  return real;
}

}  // namespace adadiff::cli
