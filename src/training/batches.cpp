// Mixes images with noise, row by row, into buffers that live as long as the training.
#include "training/batches.h"

#include <algorithm>
#include <span>
#include <utility>

#include <ATen/ATen.h>

#include "diffusion/prediction.h"

namespace adadiff::detail {
namespace {

float clean_value(std::uint8_t pixel) { return static_cast<float>(pixel) / 127.5F - 1; }

/// Exchanges left and right.
void mirror(std::span<std::uint8_t> planes, std::int64_t width) {
  for (auto line = planes.begin(); line != planes.end(); line += width)
    std::reverse(line, line + width);
}

}  // namespace

BatchMaker::BatchMaker(const ImageSource& source, const TrainingOptions& options, BatchForm form)
    : source_(source),
      options_(options),
      form_(std::move(form)),
      order_(options.seed, source.count),
      images_(static_cast<std::size_t>(options.batch)),
      planes_(images_.size() * static_cast<std::size_t>(source.values())),
      noise_(static_cast<std::size_t>(source.values())) {}

Batch BatchMaker::make_buffers() const {
  Batch batch;
  batch.x = at::empty({options_.batch, source_.channels, source_.height, source_.width},
                      at::kFloat);
  batch.truth = at::empty_like(batch.x);
  batch.time = at::empty({options_.batch}, at::kFloat);
  if (form_.has_labels) batch.labels = at::empty({options_.batch}, at::kLong);
  return batch;
}

void BatchMaker::fill(std::int64_t step, Batch& batch) {
  const std::vector<double> times = draw_times(options_, form_.process, step);
  for (std::int64_t row = 0; row < options_.batch; ++row)
    images_[static_cast<std::size_t>(row)] = order_.index(step, options_.batch, row);
  source_.read_all(images_, planes_);
  for (std::int64_t row = 0; row < options_.batch; ++row)
    fill_row(step, row, times[static_cast<std::size_t>(row)], batch);
}

void BatchMaker::fill_row(std::int64_t step, std::int64_t row, double time, Batch& batch) {
  const std::int64_t image = images_[static_cast<std::size_t>(row)], values = source_.values();
  const auto planes = std::span(planes_).subspan(static_cast<std::size_t>(row * values),
                                                 static_cast<std::size_t>(values));
  if (mirrors(options_, step, row)) mirror(planes, source_.width);
  float* x = batch.x.mutable_data_ptr<float>() + row * values;
  float* truth = batch.truth.mutable_data_ptr<float>() + row * values;
  const NoiseSchedule& schedule = *form_.process.schedule;
  const PredictionRule rule = prediction_rule(form_.process, time);
  const auto alpha = static_cast<float>(rule.input_scale * schedule.alpha(time));
  const auto sigma = static_cast<float>(rule.input_scale * schedule.sigma(time));
  const auto target_clean = static_cast<float>(rule.target_clean);
  const auto target_noise = static_cast<float>(rule.target_noise);
  draw_noise(options_, step, row, noise_);
  for (std::int64_t i = 0; i < values; ++i) {
    const auto place = static_cast<std::size_t>(i);
    const float clean = clean_value(planes[place]), noise = noise_[place];
    x[i] = alpha * clean + sigma * noise;
    truth[i] = target_noise * noise + target_clean * clean;
  }
  batch.time.mutable_data_ptr<float>()[row] = static_cast<float>(rule.network_time);
  if (!form_.has_labels) return;
  const std::int64_t own = source_.label(image);
  const std::int64_t label = own < 0 || form_.label_of_class.empty()
                                 ? own
                                 : form_.label_of_class[static_cast<std::size_t>(own)];
  const bool is_dropped = label < 0 || (form_.null_label >= 0 && drops_label(options_, step, row));
  batch.labels.mutable_data_ptr<std::int64_t>()[row] = is_dropped ? form_.null_label : label;
}

Batches::Batches(const ImageSource& source, const TrainingOptions& options, BatchForm form)
    : maker_(source, options, std::move(form)),
      current_(maker_.make_buffers()),
      next_(maker_.make_buffers()),
      thread_([this](const std::stop_token& stop) { work(stop); }) {}

Batches::~Batches() {
  thread_.request_stop();
  thread_.join();
}

const Batch& Batches::at_step(std::int64_t step) {
  std::unique_lock lock(mutex_);
  const auto wait_for_batch = [&] { changed_.wait(lock, [this] { return is_made_; }); };
  if (wanted_ >= 0) wait_for_batch();
  if (wanted_ != step) {
    wanted_ = step;
    is_made_ = false;
    changed_.notify_all();
    wait_for_batch();
  }
  wanted_ = -1;
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  std::swap(current_, next_);
  wanted_ = step + 1;
  is_made_ = false;
  changed_.notify_all();
  return current_;
}

void Batches::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return wanted_ >= 0 && !is_made_; })) {
    const std::int64_t step = wanted_;
    lock.unlock();
    std::exception_ptr error;
    try {
      maker_.fill(step, next_);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    error_ = error;
    is_made_ = true;
    changed_.notify_all();
  }
}

}  // namespace adadiff::detail
