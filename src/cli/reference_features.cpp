// Reads the reference, whichever form it has, and computes what is missing.
#include "cli/reference_features.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/check.h"
#include "features/texture_features.h"
#include "metrics/spread.h"
#include "metrics/statistics_file.h"
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
    raise({"--references", "be images of at most " + show(kMostBytes) + " bytes together",
           "are " + show(bytes)});
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

/// Of images, or of what is known of them.
template <class Pictures>
bool has_shape_of(const Pictures& pictures, const ModelSummary& model) {
  return pictures.height == model.height && pictures.width == model.width &&
         pictures.channels == model.channels;
}

detail::Reference from_images(const Images& images, const FeatureExtractor& extractor,
                              const ModelSummary& model) {
  detail::Reference reference;
  reference.features = extractor.extract(images).features;
  if (has_shape_of(images, model)) {
    reference.texture = {detail::TextureFeatures().extract(images).features, images.height,
                         images.width, images.channels};
  }
  return reference;
}

/// Before images are drawn, which may take hours.
detail::GaussianReference checked(detail::FeatureStatistics statistics, const std::string& path) {
  try {
    return detail::GaussianReference(std::move(statistics), path + ":");
  } catch (const InvalidArgument& error) {
    throw ModelError(error.what());
  }
}

/// With the statistics that the file says, which may come of more images than it holds.
detail::Reference from_file(const ReferenceFlags& flags, const FeatureExtractor& extractor,
                            std::int64_t dimensions, const ModelSummary& model) {
  detail::Reference file = detail::read_reference(
      flags.path,
      {.dimensions = dimensions, .network = extractor.name(), .most_samples = flags.images});
  if (!file.images) return file;
  detail::Reference reference = from_images(*file.images, extractor, model);
  if (const std::int64_t found = reference.features->cols(); found != dimensions) {
    raise<ModelError>(
        {flags.path + ": arr_0",
         "hold images with " + show(dimensions) + " features each, as the model's have",
         "has " + show(found), "bring them to the model's size"});
  }
  reference.statistics = std::move(file.statistics);
  return reference;
}

RealFeatures real_texture(const detail::Reference& reference, const ModelSummary& model,
                          const std::string& path) {
  RealFeatures real;
  if (!reference.texture || !has_shape_of(*reference.texture, model) ||
      reference.texture->features.rows() < 2)
    return real;
  real.features = reference.texture->features;
  real.gaussian = checked(detail::feature_statistics(*real.features), path);
  return real;
}

}  // namespace

std::int64_t feature_dimensions(const FeatureExtractor& extractor, const ModelSummary& model) {
  Images blank{
      .count = 1, .height = model.height, .width = model.width, .channels = model.channels};
  blank.pixels.resize(static_cast<std::size_t>(model.channels * model.height * model.width));
  return extractor.extract(blank).features.cols();
}

ReferenceFeatures reference_features(const ReferenceFlags& flags, const FeatureExtractor& extractor,
                                     std::int64_t dimensions, const ModelSummary& model) {
  const bool is_archive = std::string_view(flags.path).ends_with(".npz");
  detail::Reference reference = is_archive
                                    ? from_file(flags, extractor, dimensions, model)
                                    : from_images(load_images(flags.path, model, flags.images),
                                                  extractor, model);
  if (!reference.statistics) reference.statistics = detail::feature_statistics(*reference.features);
  ReferenceFeatures real{.seen = {}, .texture = real_texture(reference, model, flags.path)};
  real.seen.gaussian = checked(*reference.statistics, flags.path);
  if (!flags.save.empty()) detail::write_reference(flags.save, reference);
  real.seen.features = std::move(reference.features);
  return real;
}

}  // namespace adadiff::cli
