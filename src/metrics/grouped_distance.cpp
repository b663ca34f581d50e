// Sums kernel values by pairs of groups, so that leaving a group out costs nothing more.
#include "metrics/grouped_distance.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "metrics/kernel_sums.h"

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
  require_range<InvalidArgument, std::int64_t>(
      "groups", groups, kFewestGroups, std::max<std::int64_t>(kFewestGroups, generated.rows() / 2));
}

double pairs(Eigen::Index samples) {
  return static_cast<double>(samples) * static_cast<double>(samples - 1);
}

/// Kernel sums of the generated samples by group.
struct GroupSums {
  Eigen::MatrixXd within;  ///< [groups, groups], without the pairs of a sample with itself
  Eigen::VectorXd across;  ///< [groups], sums with the reference
};

GroupSums group_sums(const Features& reference, const Features& generated, int groups) {
  GroupSums sums{Eigen::MatrixXd(groups, groups), Eigen::VectorXd(groups)};
  const auto group = [&](int g) {
    const Rows rows = rows_of_group(generated.rows(), groups, g);
    return generated.middleRows(rows.first, rows.count);
  };
  for (int a = 0; a < groups; ++a) {
    sums.across(a) = kernel_sum(group(a), reference);
    for (int b = 0; b <= a; ++b)
      sums.within(a, b) = sums.within(b, a) = kernel_sum(group(a), group(b));
    sums.within(a, a) -= self_sum(group(a));
  }
  return sums;
}

}  // namespace

/// The normal quantile, corrected by powers of 1 / freedom (Abramowitz & Stegun 1964, 26.7.5).
double student_t(int freedom) {
  constexpr double z = 1.959963984540054, z2 = z * z;
  const double n = freedom;
  const double first = (z2 + 1) * z / 4, second = ((5 * z2 + 16) * z2 + 3) * z / 96;
  const double third = (((3 * z2 + 19) * z2 + 17) * z2 - 15) * z / 384;
  const double fourth = ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) * z / 92160;
  return z + (first + (second + (third + fourth / n) / n) / n) / n;
}

double half_width(const GroupedDistance& distance) {
  const auto groups = static_cast<double>(distance.without.size());
  double mean = 0, squares = 0;
  for (const double value : distance.without) mean += value / groups;
  for (const double value : distance.without) squares += (value - mean) * (value - mean);
  return student_t(static_cast<int>(distance.without.size()) - 1) *
         std::sqrt((groups - 1) / groups * squares);
}

GroupedDistance grouped_kernel_distance(const Features& reference, const Features& generated,
                                        int groups) {
  check_features(reference, "reference features", 2);
  check_features(generated, "generated features", 4);
  check_same_dimensions(reference, generated);
  check_groups(generated, groups);
  const GroupSums sums = group_sums(reference, generated, groups);
  const double real = (kernel_sum(reference, reference) - self_sum(reference)) /
                      pairs(reference.rows());
  const auto distance = [&](double within, double across, Eigen::Index samples) {
    return real + within / pairs(samples) -
           2 * across / (static_cast<double>(samples) * static_cast<double>(reference.rows()));
  };
  GroupedDistance found{distance(sums.within.sum(), sums.across.sum(), generated.rows()), {}};
  for (int g = 0; g < groups; ++g) {
    const double within = sums.within.sum() - 2 * sums.within.row(g).sum() + sums.within(g, g);
    const Eigen::Index left = generated.rows() - rows_of_group(generated.rows(), groups, g).count;
    found.without.push_back(distance(within, sums.across.sum() - sums.across(g), left));
  }
  return found;
}

GroupedDistance grouped_frechet_distance(const GaussianReference& reference,
                                         const Features& generated, int groups) {
  check_features(generated, "generated features", 4);
  check_groups(generated, groups);
  GroupedDistance found{reference.distance(generated), {}};
  for (int g = 0; g < groups; ++g) {
    const Rows out = rows_of_group(generated.rows(), groups, g);
    Features kept(generated.rows() - out.count, generated.cols());
    kept << generated.topRows(out.first),
        generated.bottomRows(generated.rows() - out.first - out.count);
    found.without.push_back(reference.distance(kept));
  }
  return found;
}

}  // namespace adadiff::detail
