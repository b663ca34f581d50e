// Compares the features of every set of images with those of the same real images.
#include "tuning/feature_measure.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "core/check.h"
#include "metrics/grouped_distance.h"
#include "metrics/precision_recall.h"

namespace adadiff {
namespace detail {
namespace {

GroupedDistance distance_between(const RealFeatures& real, const Features& generated,
                                 ImageDistance distance) {
  if (distance == ImageDistance::Kernel)
    return grouped_kernel_distance(*real.features, generated, kMeasureGroups);
  return grouped_frechet_distance(*real.gaussian, generated, kMeasureGroups);
}

/// The rows of a table. Raises InvalidArgument unless they are whole.
Features rows_of(const FeatureTable& table, const std::string& where) {
  const std::int64_t values = std::ssize(table.values);
  if (table.dimensions < 1)
    raise({where + ".dimensions", "be at least 1", "is " + show(table.dimensions)});
  if (values % table.dimensions != 0) {
    raise({where + ".values", "hold " + show(table.dimensions) + " numbers per image",
           "holds " + show(values) + " in all"});
  }
  return Eigen::Map<const Features>(table.values.data(), values / table.dimensions,
                                    table.dimensions);
}

RealFeatures real_features(const FeatureTable& table, ImageDistance distance) {
  constexpr std::int64_t kFewestImages = 4;  // the recall looks at 3 neighbours of each
  RealFeatures real;
  real.features = rows_of(table, "real");
  check_features(*real.features, "real", kFewestImages);
  if (distance == ImageDistance::Frechet)
    real.gaussian.emplace(feature_statistics(*real.features), "real");
  return real;
}

}  // namespace

ImageMeasure feature_measure(RealFeatures real, FeatureExtraction extract, ImageDistance distance) {
  const auto known = std::make_shared<const RealFeatures>(std::move(real));
  return [known, extract = std::move(extract), distance](const Images& images) {
    check_quality(*known, images.count, {.groups = kMeasureGroups});
    const Features generated = extract(images);
    GroupedDistance found = distance_between(*known, generated, distance);
    return ImageQuality{.distance = found.all,
                        .distance_without = std::move(found.without),
                        .recall = recall(*known->features, generated)};
  };
}

}  // namespace detail

ImageMeasure distance_from(const FeatureTable& real, FeatureFunction features,
                           ImageDistance distance) {
  if (!features) detail::raise({"distance_from.features", "be set", "is empty"});
  const auto extract = [features = std::move(features)](const Images& images) {
    detail::Features rows = detail::rows_of(features(images), "features");
    if (rows.rows() != images.count) {
      detail::raise({"features.values",
                     "have a row for each of " + detail::show(images.count) + " images",
                     "has " + detail::show(std::int64_t{rows.rows()})});
    }
    return rows;
  };
  return detail::feature_measure(detail::real_features(real, distance), extract, distance);
}

}  // namespace adadiff
