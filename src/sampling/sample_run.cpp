// The loop behind Run::advance.
#include "sampling/sample_run.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "device/parallel.h"
#include "sampling/start_values.h"

namespace adadiff::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds kLongestBudget = 24h *
                                                    365;  // keeps now() + budget from overflowing

}  // namespace

SampleRun::SampleRun(SampleJob job)
    : job_(std::make_shared<const SampleJob>(std::move(job))),
      slots_(job_->network, job_->batch, job_->branches()),
      recorder_(*job_) {
  slots_.reserve(*job_);
  images_.reserve(static_cast<std::size_t>(job_->count * job_->image_values()));
  batches_ = (job_->count + job_->batch - 1) / job_->batch;
}

Status SampleRun::advance(std::chrono::nanoseconds budget) {
  if (status_ != Status::Working) return status_;
  const Clock::time_point begun = Clock::now();
  const ThreadLimit limit(job_->threads);
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
    if (job_->stop.stop_requested()) {
      status_ = Status::Cancelled;
    } else {
      advance_one_block();
    }
  } while (status_ == Status::Working && Clock::now() < deadline);
}

void SampleRun::advance_one_block() {
  if (!batch_) begin_batch();
  if (slots_.advance()) take(slots_.reports().front());
}

void SampleRun::begin_batch() {
  const std::int64_t first = batch_index_ * job_->batch;
  batch_size_ = std::min(job_->batch, job_->count - first);
  batch_ = slots_.add(job_, first, batch_size_);
}

void SampleRun::take(const PassReport& report) {
  if (report.not_finite) refuse_values(report);
  recorder_.record(report);
  if (report.ends_step) end_step(report);
}

void SampleRun::refuse_values(const PassReport& report) const {
  const auto evaluation = static_cast<std::size_t>(report.evaluation);
  const std::int64_t sample = batch_index_ * job_->batch + *report.not_finite;
  raise<ModelError>({"network \"" + job_->network->info().kind + "\"", "give finite values",
                     "gave NaN or infinity at step " +
                         show(job_->plan.evaluations[evaluation].update.step) + " for sample " +
                         show(sample),
                     "ForwardPass::predict writes every value of its rows into out"});
}

void SampleRun::end_step(const PassReport& report) {
  const auto evaluation = static_cast<std::size_t>(report.evaluation);
  const int step = job_->plan.evaluations[evaluation].update.step + 1;
  const Progress progress{step, job_->plan.steps, batch_index_, batches_,
                          recorder_.mean_exit_depth()};
  if (report.is_finished) end_batch();
  if (job_->observer && !job_->observer(progress)) cancel();
}

void SampleRun::end_batch() {
  const std::int64_t values = job_->image_values();
  std::vector<float> finished(static_cast<std::size_t>(batch_size_ * values));
  for (std::int64_t i = 0; i < batch_size_; ++i)
    slots_.read(*batch_, i, StateBackend::Value::State, finished.data() + i * values);
  images_.insert(images_.end(), finished.begin(), finished.end());
  slots_.remove(*batch_);
  batch_.reset();
  if (++batch_index_ == batches_) status_ = Status::Completed;
}

void SampleRun::preview(std::int64_t index, float* out) const {
  const std::int64_t values = job_->image_values();
  const auto finished = static_cast<std::int64_t>(images_.size()) / values;
  const std::int64_t place = index - finished;  // within the batch in progress
  if (place < 0) {
    std::copy_n(images_.data() + index * values, values, out);
    return;
  }
  if (batch_ && place < batch_size_ &&
      slots_.read(*batch_, place, StateBackend::Value::CleanImage, out))
    return;
  if (!job_->start_image.empty()) {
    std::copy_n(job_->start_image.data() + index * values, values, out);
  } else {
    write_start(*job_, index, out);
  }
}

std::vector<float> SampleRun::take_images() {
  cancel();
  const auto values = static_cast<std::size_t>(job_->count * job_->image_values());
  if (images_.size() == values) return std::move(images_);
  std::vector<float> images(values);
  for (std::int64_t i = 0; i < job_->count; ++i)
    preview(i, images.data() + i * job_->image_values());
  return images;
}

}  // namespace adadiff::detail
