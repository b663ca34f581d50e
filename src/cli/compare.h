// The honest comparison: a plan against full depth on the same noise, runs interleaved, medians.
#pragma once

#include <vector>

#include <adadiff/pipeline.h>

namespace adadiff::cli {

struct Comparison {
  Result adaptive, full;                      ///< of the last pair
  std::vector<double> wall_ms, full_wall_ms;  ///< one entry per pair
  double psnr_db = 0;  ///< adaptive against full, values clamped to the image range; NaN when
                       ///< identical
  double compute_skipped() const { return adaptive.trace.compute.skipped(); }
  double time_saved() const;  ///< 1 - median over pairs of adaptive / full: what slows the machine
                              ///< down for a while hits both of a pair
  double exit_efficiency() const;  ///< time saved / compute skipped; NaN below 0.05 skipped
};

/// One warm-up of each way, then `repeats` pairs: adaptive, full depth, adaptive, full depth, ...
Comparison compare(const Pipeline& pipeline, const Request& request, int repeats);

double median(std::vector<double> values);

}  // namespace adadiff::cli
