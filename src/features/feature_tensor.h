// Features as torch sees them, for products of whole sets.
#pragma once

#include <ATen/ATen.h>

#include "features/features.h"

namespace adadiff::detail {

/// [samples, dimensions] float64 over the same memory, which must outlive it and is only to be
/// read.
inline at::Tensor as_tensor(const Eigen::Ref<const Features>& set) {
  auto* values = const_cast<double*>(set.data());  // from_blob takes no const
  return at::from_blob(values, {set.rows(), set.cols()}, {set.outerStride(), 1}, at::kDouble);
}

}  // namespace adadiff::detail
