// Samples in flight, of any number of requests, and the passes over the network that they share.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "execution/execution.h"
#include "sampling/sample_job.h"
#include "sampling/state_backend.h"

namespace adadiff::detail {

/// Samples of one request that were added together. Each is a slot: its numbers are at a place of
/// the state back end, and it moves through its own request's plan, solver, seed and conditions.
/// The slots of a group stand at the same evaluation, and take part in the same passes.
struct SlotGroup {
  std::uint64_t id = 0;
  std::shared_ptr<const SampleJob> job;
  std::int64_t first_sample = 0;
  std::vector<std::int64_t> places;
  int evaluation = 0;            ///< in progress or next
  std::int64_t first_entry = 0;  ///< of the table of conditions
  std::uint64_t last_pass = 0;   ///< the number of the last pass that it took part in
  bool is_leaving = false;       ///< removed while a pass is in progress

  bool is_finished() const {
    return evaluation == static_cast<int>(std::ssize(job->plan.evaluations));
  }
};

/// What one pass did for one group.
struct PassReport {
  std::uint64_t group = 0;
  int evaluation = 0;  ///< the one that has just ended
  std::span<const RowOutcome> outcomes;
  const RowCounts* counts = nullptr;
  double milliseconds = 0;  ///< from the start of the pass to the group's update
  /// The first sample, counted within the group, for which the network gave values that are not
  /// finite: the group stays where it was before the pass.
  std::optional<std::int64_t> not_finite = {};
  bool ends_step = false, is_finished = false;
};

/// Drives slots through passes over one network, one block at a time. A pass takes every group
/// whose next evaluation agrees in precision and skipped parts with that of the group that has
/// waited longest. One thread uses it.
class Slots {
 public:
  /// Places for `capacity` samples of up to `branches` rows each.
  Slots(std::shared_ptr<const Network> network, std::int64_t capacity, int branches);

  /// Makes room for what the job needs, which add() does as well.
  void reserve(const SampleJob& job);
  std::int64_t free_places() const { return std::ssize(free_); }
  /// Puts samples [first, first + count) of the job into free places. They take part from the next
  /// pass on. Throws InvalidArgument where there are too few places, and for a job of another
  /// network or with more branches than there is room for.
  std::uint64_t add(std::shared_ptr<const SampleJob> job, std::int64_t first, std::int64_t count);
  /// Takes a group out, whatever it is at. In a pass in progress its rows run on for nobody, unless
  /// all groups of the pass have been taken out, which ends it.
  void remove(std::uint64_t group);
  bool has_work() const;

  /// Runs one block of the pass in progress or of a new one. Returns true where that ended the
  /// pass; reports() then tells what it did until the next call. An exception of the network or of
  /// a policy ends the pass for all groups in it, which stay where they were before it.
  bool advance();
  std::span<const PassReport> reports() const { return reports_; }

  /// Copies [C, H, W] of a sample, counted within the group. See StateBackend::read.
  bool read(std::uint64_t group, std::int64_t sample, StateBackend::Value value, float* out) const;

 private:
  using Clock = std::chrono::steady_clock;

  const SlotGroup& find(std::uint64_t group) const;
  void check_job(const SampleJob& job, std::int64_t count) const;
  void drop_pass();
  void renew_conditions();
  void free_leaving();
  void begin_pass();
  void choose_groups();
  void end_pass();
  PassReport move_on(SlotGroup& group, std::size_t index);
  StateGroup state_group(const SlotGroup& group, std::int64_t first_row) const;

  std::shared_ptr<const Network> network_;
  int branches_;
  std::unique_ptr<StateBackend> state_;
  std::unique_ptr<Execution> execution_;
  std::vector<SlotGroup> groups_;
  std::vector<std::int64_t> free_;  ///< places
  std::uint64_t next_id_ = 1, pass_number_ = 0;

  bool is_in_pass_ = false, has_new_conditions_ = false;
  std::vector<std::uint64_t> in_pass_;  ///< ids of the groups
  std::vector<StateGroup> pass_groups_;
  std::vector<EvaluationRow> rows_;
  std::vector<RowGroup> row_groups_;
  std::vector<PassReport> reports_;
  std::chrono::duration<double, std::milli> pass_time_{0};
};

}  // namespace adadiff::detail
