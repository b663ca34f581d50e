// Distances with what is needed for intervals: the same distance with each group of samples left
// out (delete-group jackknife).
#pragma once

#include <vector>

#include "features/features.h"
#include "metrics/frechet_distance.h"

namespace adadiff::detail {

/// A distance over all samples, and without each of the groups that samples fall into: group g
/// holds rows [g * samples / groups, (g + 1) * samples / groups). Two ways of sampling from the
/// same noise have pairs of such values, whose differences give the interval of the difference
/// (Efron & Tibshirani 1993, ch. 11); drawing samples with replacement instead would put doubles
/// into the kernel distance, which is unbiased for different samples only.
struct GroupedDistance {
  double all = 0;
  std::vector<double> without;  ///< [groups]
};

/// With fewer, an interval would be too wide to say anything.
constexpr int kFewestGroups = 5;

/// Half the width of the 95 % interval around `all`: the jackknife's standard error times Student's
/// t. The reference is taken as it is.
double half_width(const GroupedDistance& distance);
/// What Student's t with so many degrees of freedom exceeds with probability 0.025; within 0.1 %
/// for 4 or more.
double student_t(int freedom);

/// Squared maximum mean discrepancy with the kernel of kernel_distance.h between all samples of
/// both sets, unbiased. `groups` in [kFewestGroups, samples / 2]. Throws InvalidArgument.
GroupedDistance grouped_kernel_distance(const Features& reference, const Features& generated,
                                        int groups);
/// Fréchet distance; its bias depends on the number of samples, so compare sets of one size only.
GroupedDistance grouped_frechet_distance(const GaussianReference& reference,
                                         const Features& generated, int groups);

}  // namespace adadiff::detail
