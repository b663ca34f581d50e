// Sums of the kernel (x·y / D + 1)^3 over pairs of samples. They are computed in blocks, so that
// memory does not grow with the number of pairs.
#pragma once

#include "features/features.h"

namespace adadiff::detail {

/// Rows of a set: all of them, or some that follow each other.
using FeatureRows = Eigen::Ref<const Features>;

/// The sum over all pairs of a row of `left` and a row of `right`, computed on torch's threads.
double kernel_sum(const FeatureRows& left, const FeatureRows& right);

/// The sum over each row paired with itself.
double self_sum(const FeatureRows& set);

}  // namespace adadiff::detail
