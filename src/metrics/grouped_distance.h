// Distances, together with what their intervals need: the same distance with each group of samples
// left out (delete-group jackknife).
#pragma once

#include <vector>

#include "features/features.h"
#include "metrics/frechet_distance.h"

namespace adadiff::detail {

/// A distance over all samples, and the same distance without each of the groups of samples: group
/// g holds rows [g * samples / groups, (g + 1) * samples / groups). Two ways of sampling that start
/// from the same noise give pairs of such values, and the differences within the pairs give the
/// interval of the difference (Efron & Tibshirani 1993, ch. 11). Drawing samples with replacement
/// would not do: some samples would then occur twice, and the kernel distance is unbiased only for
/// different samples.
struct GroupedDistance {
  double all = 0;
  std::vector<double> without;  ///< [groups]
};

/// With fewer groups, an interval would be too wide to say anything.
constexpr int kFewestGroups = 5;

/// Half the width of the 95 % interval around `all`: the standard error of the jackknife times
/// Student's t. The reference counts as exact.
double half_width(const GroupedDistance& distance);
/// The value that Student's t with `freedom` degrees of freedom exceeds with probability 0.025,
/// within 0.1 % for 4 or more.
double student_t(int freedom);

/// The squared maximum mean discrepancy, with the kernel of kernel_distance.h, between all samples
/// of both sets, unbiased. `groups` must be in [kFewestGroups, samples / 2]. Throws
/// InvalidArgument.
GroupedDistance grouped_kernel_distance(const Features& reference, const Features& generated,
                                        int groups);
/// The Fréchet distance. Its bias depends on the number of samples, so compare only sets of the
/// same size.
GroupedDistance grouped_frechet_distance(const GaussianReference& reference,
                                         const Features& generated, int groups);

}  // namespace adadiff::detail
