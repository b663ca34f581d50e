// Puts the metrics together.
#include "evaluation/quality.h"

#include <algorithm>

#include "core/check.h"

namespace adadiff::detail {
namespace {

void compare_sets(const Features& real, const Features& generated, const QualityOptions& options, Quality& quality) {
  const auto subsets = draw_kernel_subsets(real.rows(), generated.rows(), options.subsets, options.seed);
  quality.subset_size = std::ssize(subsets.front().generated);
  quality.kernel = kernel_distance(real, generated, subsets);
  if (std::min(real.rows(), generated.rows()) > options.neighbours) {
    quality.manifold = precision_recall(real, generated, options.neighbours);
  }
  if (options.groups > 0) quality.grouped_kernel = grouped_kernel_distance(real, generated, options.groups);
}

}  // namespace

Quality measure_quality(const RealFeatures& real, const Features& generated, const QualityOptions& options) {
  Quality quality;
  if (real.statistics) {
    quality.frechet = frechet_distance(*real.statistics, feature_statistics(generated));
    if (options.groups > 0) quality.grouped_frechet = grouped_frechet_distance(*real.statistics, generated, options.groups);
  }
  if (real.features) compare_sets(*real.features, generated, options, quality);
  return quality;
}

double class_agreement(const std::vector<std::int64_t>& classes, const std::vector<std::int64_t>& labels) {
  if (classes.empty() || labels.empty()) raise({"class_agreement", "be given classes and labels", "one of them is empty"});
  std::int64_t right = 0;
  for (std::size_t i = 0; i < classes.size(); ++i) right += classes[i] == labels[i % labels.size()] ? 1 : 0;
  return static_cast<double>(right) / static_cast<double>(classes.size());
}

}  // namespace adadiff::detail
