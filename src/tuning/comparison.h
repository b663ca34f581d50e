// An honest comparison of a plan with full depth: both start from the same noise, their runs are
// interleaved, and times are medians.
#pragma once

#include <vector>

#include <adadiff/pipeline.h>
#include <adadiff/tuning.h>

#include "tuning/observed_run.h"

namespace adadiff::detail {

/// Runs a warm-up of each, then `pairs` pairs, as compare_with_full_depth says.
Comparison compare(const Request& request, int pairs, const ModelSummary& model, const Runner& run);

/// The median of the values; NaN where there are none.
double median(std::vector<double> values);

}  // namespace adadiff::detail
