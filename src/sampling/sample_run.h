// Executes a compiled plan for all samples of a job, batch by batch, one block of the network at a
// time: the user of one request's slots.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <adadiff/trace.h>

#include "sampling/sample_job.h"
#include "sampling/slots.h"
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
  const SampleJob& job() const { return *job_; }
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
  void take(const PassReport& report);
  [[noreturn]] void refuse_values(const PassReport& report) const;
  void end_step(const PassReport& report);
  void end_batch();

  std::shared_ptr<const SampleJob> job_;
  Slots slots_;
  TraceRecorder recorder_;
  std::vector<float> images_;  ///< finished samples
  std::int64_t batch_index_ = 0, batches_ = 1;
  std::int64_t batch_size_ = 0;         ///< of the batch in progress
  std::optional<std::uint64_t> batch_;  ///< its group of slots
  bool is_advancing_ = false;
  Milliseconds wall_{0};
  Status status_ = Status::Working;
};

}  // namespace adadiff::detail
