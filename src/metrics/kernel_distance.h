// Kernel distance (KID) between two sets of features (Binkowski et al. 2018, arXiv 1801.01401).
#pragma once

#include <cstdint>
#include <vector>

#include "features/features.h"

namespace adadiff::detail {

/// The rows of both sets that one estimate compares: as many of one set as of the other, and none
/// of them twice.
struct KernelSubset {
  std::vector<std::int64_t> reference, generated;
};

/// The number of estimates, and the number of samples that each of them takes.
struct KernelSubsets {
  int count = 100;        ///< in [1, 10000]
  std::int64_t size = 0;  ///< at least 2, and no more than the smaller set has; 0: half of that
                          ///< set, at most 1000
};

/// The size of subsets that `subsets` asks for with two sets of these sizes. Throws
/// InvalidArgument.
std::int64_t subset_size(std::int64_t references, std::int64_t generated,
                         const KernelSubsets& subsets);

/// Draws subsets with Philox4x32-10, without replacement within a subset. A pure function of its
/// arguments. Throws InvalidArgument.
std::vector<KernelSubset> draw_kernel_subsets(std::int64_t references, std::int64_t generated,
                                              const KernelSubsets& subsets, std::uint64_t seed);

/// The distance over all subsets, as publications report it.
struct KernelDistance {
  double mean = 0;
  double deviation = 0;  ///< population standard deviation over the subsets (ddof 0); not the
                         ///< standard error of the mean
};

/// The squared maximum mean discrepancy with k(x, y) = (x·y / dimensions + 1)^3. The estimate is
/// unbiased, so it may be below 0. Throws InvalidArgument for sets of different dimensions, subsets
/// of unequal size, and rows that do not exist.
KernelDistance kernel_distance(const Features& reference, const Features& generated,
                               const std::vector<KernelSubset>& subsets);

}  // namespace adadiff::detail
