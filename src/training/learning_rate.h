// The learning rate as a function of the step.
#pragma once

#include <cstdint>

#include <adadiff/training.h>

namespace adadiff::detail {

/// The rate of step `step` (from 0) as a share of its peak: a linear rise over `warmup` steps,
/// times the decay. Cosine falls from 1 to 1 % at `steps` (Loshchilov & Hutter 2017, without
/// restarts).
double learning_rate_share(std::int64_t step, const TrainingOptions& options);

}  // namespace adadiff::detail
