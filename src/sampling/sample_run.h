// Executes a compiled plan for all samples of a job, batch by batch, one block of the network at a
// time.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include <adadiff/trace.h>

#include "execution/host_execution.h"
#include "sampling/batch_state.h"
#include "sampling/sample_job.h"
#include "sampling/trace_recorder.h"

namespace adadiff::detail {

/// Owned by one thread. Stopping, failing and dropping leave everything outside as it was.
class SampleRun {
 public:
  explicit SampleRun(SampleJob job);
  SampleRun(const SampleRun&) = delete;
  SampleRun& operator=(const SampleRun&) = delete;

  /// See Run::advance.
  Status advance(std::chrono::nanoseconds budget);
  Status status() const { return status_; }
  /// Whether an advance() is in progress: true for what the network, the policy and the observer
  /// call.
  bool is_advancing() const { return is_advancing_; }
  /// Ends a run that is still working before its next block.
  void cancel();
  const SampleJob& job() const { return job_; }
  /// The sample's finished image, else its latest clean prediction, else its start. [C, H, W]
  /// float32.
  void preview(std::int64_t index, float* out) const;

  /// Images of all samples, [count, C, H, W]; a run still working is cancelled by it. Called once.
  std::vector<float> take_images();
  Trace take_trace() { return recorder_.take(); }
  double wall_ms() const { return wall_.count(); }

 private:
  using Clock = std::chrono::steady_clock;
  using Milliseconds = std::chrono::duration<double, std::milli>;

  void work_until(Clock::time_point deadline);
  void advance_one_block();
  void begin_batch();
  void begin_evaluation();
  void end_evaluation();
  void end_step();
  void end_batch();
  bool is_last_of_step() const;

  SampleJob job_;
  HostExecution execution_;
  BatchState batch_;
  TraceRecorder recorder_;
  std::vector<EvaluationRow> rows_;
  std::vector<float> images_;  ///< finished samples
  std::int64_t batch_index_ = 0, batches_ = 1;
  int evaluation_ = 0;  ///< in progress or next, within the batch
  bool has_batch_ = false, has_evaluation_ = false, is_advancing_ = false;
  Milliseconds evaluation_time_{0}, wall_{0};
  Status status_ = Status::Working;
};

}  // namespace adadiff::detail
