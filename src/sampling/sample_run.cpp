// The loop behind Run::advance.
#include "sampling/sample_run.h"

#include <algorithm>
#include <utility>

#include <c10/core/InferenceMode.h>

#include "device/parallel.h"

namespace adadiff::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds kLongestBudget = 24h *
                                                    365;  // keeps now() + budget from overflowing

/// Buffers made under inference mode may be written under it without bookkeeping for autograd.
HostExecution make_execution(const SampleJob& job) {
  const c10::InferenceMode guard;
  return HostExecution(*job.network, job.batch * job.branches());
}

BatchState make_batch(const SampleJob& job) {
  const c10::InferenceMode guard;
  return BatchState(job);
}

}  // namespace

SampleRun::SampleRun(SampleJob job)
    : job_(std::move(job)),
      execution_(make_execution(job_)),
      batch_(make_batch(job_)),
      recorder_(job_) {
  images_.reserve(static_cast<std::size_t>(job_.count * job_.image_values()));
  batches_ = (job_.count + job_.batch - 1) / job_.batch;
}

Status SampleRun::advance(std::chrono::nanoseconds budget) {
  if (status_ != Status::Working) return status_;
  const Clock::time_point begun = Clock::now();
  const c10::InferenceMode guard;
  const ThreadLimit limit(job_.threads);
  is_advancing_ = true;
  const auto end = [&] {
    wall_ += Clock::now() - begun;
    is_advancing_ = false;
  };
  try {
    work_until(begun + std::clamp(budget, std::chrono::nanoseconds(0), kLongestBudget));
  } catch (...) {
    status_ = Status::Failed;
    end();
    throw;
  }
  end();
  return status_;
}

void SampleRun::cancel() {
  if (status_ == Status::Working) status_ = Status::Cancelled;
}

void SampleRun::work_until(Clock::time_point deadline) {
  do {
    if (job_.stop.stop_requested()) {
      status_ = Status::Cancelled;
    } else {
      advance_one_block();
    }
  } while (status_ == Status::Working && Clock::now() < deadline);
}

void SampleRun::advance_one_block() {
  const Clock::time_point begun = Clock::now();
  if (!has_batch_) begin_batch();
  if (!has_evaluation_) begin_evaluation();
  const bool is_over = !execution_.advance();
  if (is_over)
    batch_.update(job_.plan.evaluations[static_cast<std::size_t>(evaluation_)], evaluation_);
  evaluation_time_ += Clock::now() - begun;
  if (is_over) end_evaluation();
}

void SampleRun::begin_batch() {
  const std::int64_t first = batch_index_ * job_.batch;
  batch_.start(first, std::min(job_.batch, job_.count - first));
  has_batch_ = true;
  evaluation_ = 0;
}

void SampleRun::begin_evaluation() {
  const CompiledEvaluation& evaluation = job_.plan
                                             .evaluations[static_cast<std::size_t>(evaluation_)];
  rows_.clear();
  for (std::int64_t i = 0; i < batch_.samples(); ++i) {
    for (int branch = 0; branch < job_.branches(); ++branch)
      rows_.push_back({batch_.first_sample() + i, branch, evaluation_});
  }
  execution_.begin({batch_.inputs(evaluation), rows_, job_.plan, *job_.policy, batch_.out()});
  has_evaluation_ = true;
}

void SampleRun::end_evaluation() {
  recorder_.record(evaluation_, execution_, evaluation_time_.count());
  evaluation_time_ = Milliseconds(0);
  has_evaluation_ = false;
  const bool ends_step = is_last_of_step();
  ++evaluation_;
  if (ends_step) end_step();
}

bool SampleRun::is_last_of_step() const {
  const auto& evaluations = job_.plan.evaluations;
  const auto next = static_cast<std::size_t>(evaluation_) + 1;
  return next == evaluations.size() ||
         evaluations[next].update.step != evaluations[next - 1].update.step;
}

void SampleRun::end_step() {
  batch_.end_step();
  const int step = job_.plan.evaluations[static_cast<std::size_t>(evaluation_) - 1].update.step + 1;
  const Progress progress{step, job_.plan.steps, batch_index_, batches_,
                          recorder_.mean_exit_depth()};
  if (static_cast<std::size_t>(evaluation_) == job_.plan.evaluations.size()) end_batch();
  if (job_.observer && !job_.observer(progress)) cancel();
}

void SampleRun::end_batch() {
  images_.insert(images_.end(), batch_.state(0),
                 batch_.state(0) + batch_.samples() * job_.image_values());
  has_batch_ = false;
  if (++batch_index_ == batches_) status_ = Status::Completed;
}

void SampleRun::preview(std::int64_t index, float* out) const {
  const std::int64_t values = job_.image_values();
  const auto finished = static_cast<std::int64_t>(images_.size()) / values;
  const std::int64_t place = index - finished;  // within the batch in progress
  if (place < 0) {
    std::copy_n(images_.data() + index * values, values, out);
  } else if (has_batch_ && place < batch_.samples() && batch_.latest_clean(place) != nullptr) {
    std::copy_n(batch_.latest_clean(place), values, out);
  } else if (!job_.start_image.empty()) {
    std::copy_n(job_.start_image.data() + index * values, values, out);
  } else {
    write_start(job_, index, out);
  }
}

std::vector<float> SampleRun::take_images() {
  cancel();
  const auto values = static_cast<std::size_t>(job_.count * job_.image_values());
  if (images_.size() == values) return std::move(images_);
  std::vector<float> images(values);
  for (std::int64_t i = 0; i < job_.count; ++i) preview(i, images.data() + i * job_.image_values());
  return images;
}

}  // namespace adadiff::detail
