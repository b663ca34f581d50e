// An honest comparison of a plan with full depth: both start from the same noise, their runs are
// interleaved, and times are medians.
#pragma once

#include <vector>

#include <adadiff/pipeline.h>

#include "tuning/budget_search.h"

namespace adadiff::detail {

struct Comparison {
  Result adaptive, full;                      ///< results of the last pair
  std::vector<double> wall_ms, full_wall_ms;  ///< one entry per pair, set-up included
  /// The adaptive images against those of full depth, with values clamped to the image range; NaN
  /// where they are identical.
  double psnr_db = 0;

  double compute_skipped() const { return adaptive.trace.compute.skipped(); }
  /// 1 - the median over pairs of adaptive / full. What slows the machine down for a while slows
  /// down both runs of a pair.
  double time_saved() const;
  /// Time saved divided by compute skipped; NaN where less than 0.05 is skipped.
  double exit_efficiency() const;
};

/// Runs a warm-up of each, then `repeats` pairs. The two runs of a pair take turns in going first,
/// so that neither profits from a machine that warms up or slows down.
Comparison compare(const Request& request, int repeats, const ModelSummary& model,
                   const Runner& run);

/// The median of the values; NaN where there are none.
double median(std::vector<double> values);

}  // namespace adadiff::detail
