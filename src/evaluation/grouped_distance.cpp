// Sums of kernel values by pairs of groups, so that leaving one out costs nothing more.
#include "evaluation/grouped_distance.h"

#include <algorithm>

#include "core/check.h"
#include "evaluation/kernel_sums.h"

namespace adadiff::detail {
namespace {

struct Rows {
  Eigen::Index first = 0, count = 0;
};

Rows rows_of_group(Eigen::Index samples, int groups, int group) {
  const Eigen::Index first = samples * group / groups;
  return {first, samples * (group + 1) / groups - first};
}

void check_groups(const Features& generated, int groups) {
  require_range<InvalidArgument, std::int64_t>("groups", groups, 2, std::max<std::int64_t>(2, generated.rows() / 2));
}

double pairs(Eigen::Index samples) { return static_cast<double>(samples) * static_cast<double>(samples - 1); }

/// Kernel sums of the generated samples by group.
struct GroupSums {
  Eigen::MatrixXd within;  ///< [groups, groups], a sample with itself left out
  Eigen::VectorXd across;  ///< [groups], with the reference
};

GroupSums group_sums(const Features& reference, const Features& generated, int groups) {
  GroupSums sums{Eigen::MatrixXd(groups, groups), Eigen::VectorXd(groups)};
  const auto group = [&](int g) {
    const Rows rows = rows_of_group(generated.rows(), groups, g);
    return generated.middleRows(rows.first, rows.count);
  };
  for (int a = 0; a < groups; ++a) {
    sums.across(a) = kernel_sum(group(a), reference);
    for (int b = 0; b <= a; ++b) sums.within(a, b) = sums.within(b, a) = kernel_sum(group(a), group(b));
    sums.within(a, a) -= self_sum(group(a));
  }
  return sums;
}

}  // namespace

GroupedDistance grouped_kernel_distance(const Features& reference, const Features& generated, int groups) {
  check_features(reference, "reference features", 2);
  check_features(generated, "generated features", 4);
  check_same_dimensions(reference, generated);
  check_groups(generated, groups);
  const GroupSums sums = group_sums(reference, generated, groups);
  const double real = (kernel_sum(reference, reference) - self_sum(reference)) / pairs(reference.rows());
  const auto distance = [&](double within, double across, Eigen::Index samples) {
    return real + within / pairs(samples) - 2 * across / (static_cast<double>(samples) * static_cast<double>(reference.rows()));
  };
  GroupedDistance found{distance(sums.within.sum(), sums.across.sum(), generated.rows()), {}};
  for (int g = 0; g < groups; ++g) {
    const double within = sums.within.sum() - 2 * sums.within.row(g).sum() + sums.within(g, g);
    const Eigen::Index left = generated.rows() - rows_of_group(generated.rows(), groups, g).count;
    found.without.push_back(distance(within, sums.across.sum() - sums.across(g), left));
  }
  return found;
}

GroupedDistance grouped_frechet_distance(const GaussianReference& reference, const Features& generated, int groups) {
  check_features(generated, "generated features", 4);
  check_groups(generated, groups);
  GroupedDistance found{reference.distance(generated), {}};
  for (int g = 0; g < groups; ++g) {
    const Rows out = rows_of_group(generated.rows(), groups, g);
    Features kept(generated.rows() - out.count, generated.cols());
    kept << generated.topRows(out.first), generated.bottomRows(generated.rows() - out.first - out.count);
    found.without.push_back(reference.distance(kept));
  }
  return found;
}

}  // namespace adadiff::detail
