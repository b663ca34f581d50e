// Reads and writes statistics under the names that published code gives them.
#include "metrics/statistics_file.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/check.h"
#include "features/texture_features.h"
#include "metrics/npz.h"

namespace adadiff::detail {
namespace {

constexpr std::int64_t kMostDimensions = 16384;
constexpr std::int64_t kMostFeatures = std::int64_t{1} << 31;  // numbers, which take 16 GiB
constexpr std::int64_t kMostPixels = std::int64_t{1} << 34;
constexpr double kMostExtent = 1 << 20;

/// Refuses another number of dimensions before anything of that size is read.
void require_dimensions(std::int64_t found, const ReferenceLimits& limits,
                        const std::string& path) {
  if (limits.dimensions == 0 || found == limits.dimensions) return;
  raise<ModelError>(
      {path,
       "hold features of " + show(limits.dimensions) + " numbers, as " + limits.network + " gives",
       "holds " + show(found), "name the network that made them with --features"});
}

std::int64_t length_of(const NpzFile& file, const std::string& name, std::size_t dimension) {
  const std::vector<std::int64_t> shape = file.shape(name);
  return dimension < shape.size() ? shape[dimension] : 0;
}

FeatureStatistics read_statistics(const NpzFile& file, const std::string& path) {
  const NpzArray<double> mean = file.numbers("mu", {.dimensions = 1, .most = kMostDimensions});
  const std::int64_t dimensions = mean.shape[0];
  const std::vector<std::int64_t> shape = file.shape("sigma");
  if (dimensions < 1 || shape != std::vector<std::int64_t>{dimensions, dimensions}) {
    std::string shown;
    for (const std::int64_t extent : shape) shown += (shown.empty() ? "" : ", ") + show(extent);
    raise<ModelError>({path + ": sigma", "be [D, D] for mu [D]",
                       "is [" + shown + "] for [" + show(dimensions) + "]"});
  }
  const NpzArray<double> covariance = file.numbers(
      "sigma", {.dimensions = 2, .most = dimensions * dimensions});
  FeatureStatistics statistics;
  statistics.mean = Eigen::Map<const Eigen::VectorXd>(mean.values.data(), dimensions);
  statistics.covariance = Eigen::Map<const Features>(covariance.values.data(), dimensions,
                                                     dimensions);
  return statistics;
}

Features read_rows(const NpzFile& file, const std::string& name, const ReferenceLimits& limits,
                   const std::string& path) {
  const NpzArray<double> array = file.numbers(
      name, {.dimensions = 2, .most = kMostFeatures, .most_rows = limits.most_samples});
  const Eigen::Map<const Features> features(array.values.data(), array.shape[0], array.shape[1]);
  if (!features.allFinite())
    raise<ModelError>({path + ": " + name, "hold finite numbers", "holds NaN or infinity"});
  return features;
}

Features read_features(const NpzFile& file, const std::string& name, const ReferenceLimits& limits,
                       const std::string& path) {
  require_dimensions(length_of(file, name, 1), limits, path);
  return read_rows(file, name, limits, path);
}

ReferenceTexture read_texture(const NpzFile& file, const ReferenceLimits& limits,
                              const std::string& path) {
  const std::vector<double> shape = file.numbers("texture_shape", {.dimensions = 1, .most = 3})
                                        .values;
  const auto is_extent = [](double extent) {
    return extent >= 1 && extent <= kMostExtent && extent == std::floor(extent);
  };
  if (shape.size() != 3 || !std::all_of(shape.begin(), shape.end(), is_extent)) {
    raise<ModelError>({path + ": texture_shape", "be a height, a width and a number of channels",
                       "is something else"});
  }
  ReferenceTexture texture{.features = {},
                           .height = static_cast<std::int64_t>(shape[0]),
                           .width = static_cast<std::int64_t>(shape[1]),
                           .channels = static_cast<std::int64_t>(shape[2])};
  const std::int64_t dimensions = texture_dimensions(texture.height, texture.width),
                     found = length_of(file, "texture", 1);
  if (found != dimensions) {
    raise<ModelError>({path + ": texture",
                       "be [N, " + show(dimensions) + "] for images of " + show(texture.height) +
                           " x " + show(texture.width),
                       "is [N, " + show(found) + "]", "save the reference anew"});
  }
  texture.features = read_rows(file, "texture", limits, path);
  return texture;
}

Images read_pictures(const NpzFile& file, const ReferenceLimits& limits, const std::string& path) {
  NpzArray<std::uint8_t> array = file.bytes(
      "arr_0", {.dimensions = 4, .most = kMostPixels, .most_rows = limits.most_samples});
  Images images{.count = array.shape[0],
                .height = array.shape[1],
                .width = array.shape[2],
                .channels = array.shape[3]};
  if (images.channels != 1 && images.channels != 3) {
    raise<ModelError>(
        {path + ": arr_0", "be [N, H, W, C] with 1 or 3 channels", "has " + show(images.channels)});
  }
  images.pixels = std::move(array.values);
  return images;
}

NpzArray<double> array_of(const Features& rows) {
  return {{rows.rows(), rows.cols()}, std::vector<double>(rows.data(), rows.data() + rows.size())};
}

}  // namespace

Reference read_reference(const std::string& path, const ReferenceLimits& limits) {
  const NpzFile file(path);
  Reference reference;
  for (const char* name : {"features", "feats", "reps"}) {
    if (file.has(name)) {
      reference.features = read_features(file, name, limits, path);
      break;
    }
  }
  if (!reference.features && file.has("arr_0"))
    reference.images = read_pictures(file, limits, path);
  if (file.has("mu") && file.has("sigma")) {
    const std::int64_t dimensions = length_of(file, "mu", 0);
    // Where a file also holds images, its statistics may be those of another network.
    const bool is_foreign = reference.images && limits.dimensions != 0 &&
                            dimensions != limits.dimensions;
    if (!is_foreign) {
      require_dimensions(dimensions, limits, path);
      reference.statistics = read_statistics(file, path);
    }
  }
  if (!reference.statistics && !reference.features && !reference.images) {
    raise<ModelError>(
        {path, "hold mu and sigma, features, feats, reps or arr_0", "holds none of them"});
  }
  if (file.has("texture") && file.has("texture_shape"))
    reference.texture = read_texture(file, limits, path);
  return reference;
}

void write_reference(const std::string& path, const Reference& reference) {
  std::map<std::string, NpzArray<double>> arrays;
  if (reference.statistics) {
    const Eigen::VectorXd& mean = reference.statistics->mean;
    arrays["mu"] = {{mean.size()}, std::vector<double>(mean.data(), mean.data() + mean.size())};
    arrays["sigma"] = array_of(reference.statistics->covariance);
  }
  if (reference.features) arrays["features"] = array_of(*reference.features);
  if (reference.texture) {
    const ReferenceTexture& texture = *reference.texture;
    arrays["texture"] = array_of(texture.features);
    arrays["texture_shape"] = {
        {3},
        {static_cast<double>(texture.height), static_cast<double>(texture.width),
         static_cast<double>(texture.channels)}};
  }
  write_npz(path, arrays);
}

}  // namespace adadiff::detail
