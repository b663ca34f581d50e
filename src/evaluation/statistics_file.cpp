// The names under which published codes keep statistics.
#include "evaluation/statistics_file.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "evaluation/npz.h"

namespace adadiff::detail {
namespace {

constexpr std::int64_t kMostDimensions = 16384;
constexpr std::int64_t kMostFeatures = std::int64_t{1} << 31;  // numbers: 16 GiB
constexpr std::int64_t kMostPixels = std::int64_t{1} << 34;

FeatureStatistics read_statistics(const NpzFile& file, const std::string& path) {
  const NpzArray<double> mean = file.numbers("mu", 1, kMostDimensions);
  const NpzArray<double> covariance = file.numbers("sigma", 2, kMostDimensions * kMostDimensions);
  const std::int64_t dimensions = mean.shape[0];
  if (dimensions < 1 || covariance.shape != std::vector<std::int64_t>{dimensions, dimensions}) {
    raise<ModelError>({path + ": sigma", "be [D, D] for mu [D]",
                       "is [" + show(covariance.shape[0]) + ", " + show(covariance.shape[1]) + "] for [" + show(dimensions) + "]"});
  }
  FeatureStatistics statistics;
  statistics.mean = Eigen::Map<const Eigen::VectorXd>(mean.values.data(), dimensions);
  statistics.covariance = Eigen::Map<const Features>(covariance.values.data(), dimensions, dimensions);
  return statistics;
}

Features read_features(const NpzFile& file, const std::string& name) {
  const NpzArray<double> array = file.numbers(name, 2, kMostFeatures);
  return Eigen::Map<const Features>(array.values.data(), array.shape[0], array.shape[1]);
}

Images read_pictures(const NpzFile& file, const std::string& path) {
  NpzArray<std::uint8_t> array = file.bytes("arr_0", 4, kMostPixels);
  Images images{.count = array.shape[0], .height = array.shape[1], .width = array.shape[2], .channels = array.shape[3]};
  if (images.channels != 1 && images.channels != 3) {
    raise<ModelError>({path + ": arr_0", "be [N, H, W, C] with 1 or 3 channels", "has " + show(images.channels)});
  }
  images.pixels = std::move(array.values);
  return images;
}

NpzArray<double> array_of(const Features& rows) {
  return {{rows.rows(), rows.cols()}, std::vector<double>(rows.data(), rows.data() + rows.size())};
}

}  // namespace

Reference read_reference(const std::string& path) {
  const NpzFile file(path);
  Reference reference;
  if (file.has("mu") && file.has("sigma")) reference.statistics = read_statistics(file, path);
  for (const char* name : {"features", "feats", "reps"}) {
    if (file.has(name)) {
      reference.features = read_features(file, name);
      break;
    }
  }
  if (!reference.features && file.has("arr_0")) reference.images = read_pictures(file, path);
  if (!reference.statistics && !reference.features && !reference.images) {
    raise<ModelError>({path, "hold mu and sigma, features, feats, reps or arr_0", "holds none of them"});
  }
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
  write_npz(path, arrays);
}

}  // namespace adadiff::detail
