// Writes down what every evaluation did, and counts what it cost.
#pragma once

#include <cstdint>
#include <span>

#include <adadiff/trace.h>

#include "sampling/sample_job.h"
#include "sampling/slots.h"

namespace adadiff::detail {

/// Batches come one after the other, each from its first evaluation on; lists grow with what ran.
/// The job must outlive it.
class TraceRecorder {
 public:
  explicit TraceRecorder(const SampleJob& job);

  /// Outcomes of one batch's rows at one evaluation, sample-major, conditional branch first.
  void record(const PassReport& report);
  /// Blocks run per row so far; 0 before the first evaluation.
  double mean_exit_depth() const;
  /// The trace with every list filled up to all samples. The recorder is of no use afterwards.
  Trace take();

 private:
  void count(const PassReport& report);
  double skipped_cost(const PassReport& report) const;

  const SampleJob& job_;
  NetworkCost cost_;
  double full_depth_per_row_ = 0;
  double blocks_run_ = 0, rows_ = 0;
  Trace trace_;
};

/// What the trace of a whole run takes.
std::int64_t trace_bytes(const SampleJob& job);

}  // namespace adadiff::detail
