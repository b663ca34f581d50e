// Sums of the kernel (x·y / D + 1)^3 over pairs of samples, in blocks: memory does not grow with the number of pairs.
#pragma once

#include <algorithm>

#include "evaluation/features.h"

namespace adadiff::detail {

/// Between all rows of both.
template <class Left, class Right>
double kernel_sum(const Left& left, const Right& right) {
  constexpr Eigen::Index kBlock = 1000;  // rows and columns of kernel values in memory at a time
  const auto dimensions = static_cast<double>(left.cols());
  double sum = 0;
  for (Eigen::Index i = 0; i < left.rows(); i += kBlock) {
    const auto rows = left.middleRows(i, std::min(kBlock, left.rows() - i));
    for (Eigen::Index j = 0; j < right.rows(); j += kBlock) {
      const auto columns = right.middleRows(j, std::min(kBlock, right.rows() - j));
      sum += ((rows * columns.transpose()).array() / dimensions + 1).cube().sum();
    }
  }
  return sum;
}

/// Of each row with itself.
template <class Set>
double self_sum(const Set& set) {
  return (set.rowwise().squaredNorm().array() / static_cast<double>(set.cols()) + 1).cube().sum();
}

}  // namespace adadiff::detail
