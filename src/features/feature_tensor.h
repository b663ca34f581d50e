// Features as torch tensors, for products of whole sets.
#pragma once

#include <ATen/ATen.h>

#include "features/features.h"

namespace adadiff::detail {

/// A tensor [samples, dimensions] float64 over the memory of `set`, which must outlive the tensor.
/// The tensor must only be read.
inline at::Tensor as_tensor(const Eigen::Ref<const Features>& set) {
  auto* values = const_cast<double*>(set.data());  // from_blob takes no const pointer
  return at::from_blob(values, {set.rows(), set.cols()}, {set.outerStride(), 1}, at::kDouble);
}

}  // namespace adadiff::detail
