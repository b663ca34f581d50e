// Kernel distance (KID) between two sets of features (Binkowski et al. 2018, arXiv 1801.01401).
#pragma once

#include <cstdint>
#include <vector>

#include "features/features.h"

namespace adadiff::detail {

/// Which rows of both sets one estimate compares: as many of each, no row twice.
struct KernelSubset {
  std::vector<std::int64_t> reference, generated;
};

/// How many estimates, over how many samples each.
struct KernelSubsets {
  int count = 100;        ///< in [1, 10000]
  std::int64_t size = 0;  ///< at least 2, cut to the smaller of the two sets; 0: half of that set,
                          ///< at most 1000
};

/// What a size amounts to for two sets. Throws InvalidArgument.
std::int64_t subset_size(std::int64_t references, std::int64_t generated,
                         const KernelSubsets& subsets);

/// A pure function of its arguments: draws of Philox4x32-10, without replacement within a subset.
/// Throws InvalidArgument.
std::vector<KernelSubset> draw_kernel_subsets(std::int64_t references, std::int64_t generated,
                                              const KernelSubsets& subsets, std::uint64_t seed);

/// Over the subsets, as the field reports it.
struct KernelDistance {
  double mean = 0;
  double deviation = 0;  ///< population standard deviation over the subsets (ddof 0); not the
                         ///< standard error of the mean
};

/// Squared maximum mean discrepancy with k(x, y) = (x·y / dimensions + 1)^3, unbiased, so it may be
/// below 0. Throws InvalidArgument for sets of different dimensions, subsets of unequal size, and
/// rows that are not there.
KernelDistance kernel_distance(const Features& reference, const Features& generated,
                               const std::vector<KernelSubset>& subsets);

}  // namespace adadiff::detail
