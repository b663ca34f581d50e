// Searches for the steps and thresholds that are best for a budget, judged by the paired error.
#pragma once

#include <adadiff/pipeline.h>
#include <adadiff/tuning.h>

#include "tuning/observed_run.h"

namespace adadiff::detail {

/// For each number of steps, halves the range of thresholds until the compute meets the budget. A
/// lower threshold never needs less compute, up to noise between runs that take other paths. The
/// search then goes on from the best trial that leaves early: it tries twice and half its tilt, up
/// to 4 and down to 1/4, and one step more and less, as long as one of these is better. Throws
/// InvalidArgument.
PairedTuningResult search_budget(const PairedTuningOptions& options, const ModelSummary& model,
                                 const Runner& run);

}  // namespace adadiff::detail
