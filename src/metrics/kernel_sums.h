// Sums of the kernel (x·y / D + 1)^3 over pairs of samples, in blocks: memory does not grow with
// the number of pairs.
#pragma once

#include "features/features.h"

namespace adadiff::detail {

/// Rows of a set: the whole or some that follow each other.
using FeatureRows = Eigen::Ref<const Features>;

/// Between all rows of both. On torch's threads.
double kernel_sum(const FeatureRows& left, const FeatureRows& right);

/// Of each row with itself.
double self_sum(const FeatureRows& set);

}  // namespace adadiff::detail
