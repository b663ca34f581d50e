// The steps, checkpoints and progress of one training.
#include "training/trainer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "core/check.h"
#include "device/device.h"
#include "io/atomic_file.h"
#include "io/file_descriptor.h"
#include "io/file_lock.h"
#include "models/model_file.h"
#include "networks/check_network.h"
#include "networks/label_table.h"
#include "training/checkpoint.h"
#include "training/csv_log.h"
#include "training/descent.h"
#include "training/draws.h"
#include "training/losses.h"
#include "training/option_checks.h"
#include "training/own_runs.h"
#include "training/task_checks.h"

namespace adadiff::detail {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kLossMemory = 0.99;  // for the running mean of L_simple, over about 100 steps
constexpr double kTimeMemory = 0.95;  // for the running mean of a step's time

/// Advice for losses and weights that are not finite. A resumed training keeps its rates, so it
/// would come to the same step again.
constexpr const char* kLowerRates =
    "start afresh with lower matrix_learning_rate and learning_rate, perhaps from the model file; "
    "it and the checkpoint are as they were";

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Times the parts of a step one after the other.
class Lap {
 public:
  /// The time since the last call, or since the start.
  double milliseconds() {
    const Clock::time_point before = std::exchange(last_, Clock::now());
    return std::chrono::duration<double, std::milli>(last_ - before).count();
  }

 private:
  Clock::time_point last_ = Clock::now();
};

bool exists(const std::string& path) {
  std::error_code error;
  const bool is_there = std::filesystem::exists(path, error);
  if (error) raise_file_error(path, "be a path that can be looked at", "looking", error.value());
  return is_there;
}

/// Raises now rather than after hours of work. A pipe could neither be replaced at each checkpoint
/// nor be read by a resume.
void require_writable(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_fifo(path, ignored))
    raise<FileError>({path, "be a file that each checkpoint can replace", "is a pipe"});
  const AtomicFile dropped(path);
}

at::ScalarType type_of(Precision precision) {
  return precision == Precision::BFloat16 ? at::kBFloat16 : at::kFloat;
}

std::string describe(const ImageSource& set) {
  if (set.count == 0) return kNoImages;
  std::array<char, 17> fingerprint{};
  std::snprintf(fingerprint.data(), fingerprint.size(), "%016llx",
                static_cast<unsigned long long>(set.fingerprint));
  return show(set.count) + " with fingerprint " + fingerprint.data();
}

std::shared_ptr<TrainableNetwork> moved_to(const at::Device& device,
                                           std::shared_ptr<TrainableNetwork> network) {
  network->move_to(device_of(device));
  return network;
}

/// The batch on `device`; tensors that are there already are not copied.
Batch moved_to(at::Device device, const Batch& batch) {
  const auto moved = [device](const at::Tensor& all) {
    return all.defined() ? all.to(device) : all;
  };
  return {moved(batch.x), moved(batch.truth), moved(batch.time), moved(batch.labels),
          moved(batch.pooled)};
}

/// The batches of images, or of the model's own runs where there are no images.
std::unique_ptr<BatchSource> make_batches(const TrainingOptions& options, const TrainingTask& task,
                                          const ImageSource& set) {
  if (set.count > 0) return std::make_unique<Batches>(set, options, batch_form(task));
  return std::make_unique<OwnRuns>(task.model.network, task.model.sampler, options,
                                   read_conditions(options, task.model.network->info()));
}

/// A batch as a network is asked for it: the labels are entries of a table of all labels, vectors
/// have an entry per row.
PassInputs inputs_of(const Batch& batch, const LabelTable& labels, const at::Tensor& rows) {
  if (!batch.pooled.defined()) return {batch.x, batch.time, batch.labels, labels.table()};
  const ConditionTable table{.labels = batch.labels.defined() ? &batch.labels : nullptr,
                             .pooled = &batch.pooled};
  return {batch.x, batch.time, rows, table};
}

class Training {
 public:
  Training(const TrainingOptions& options, const TrainingTask& task, const ImageSource& set)
      : options_(options),
        task_(task),
        device_(find_device(options.device, "TrainingOptions.device")),
        network_(moved_to(device_, task.model.network)),
        descent_(trainable_parameters(*network_, options.trained), options,
                 {.advice = kLowerRates}),
        labels_(network_->info(), device_),
        batches_(make_batches(options_, task, set)),
        images_(describe(set)) {}

  TrainingResult run(const TrainingObserver& observer, const std::stop_token& stop);

 private:
  bool resume();
  void keep_texts(const ModelTexts& before);
  const Batch& next_batch();
  bool is_out_of_time() const {
    return options_.minutes > 0 && seconds_since(start_) >= options_.minutes * 60;
  }
  TrainingProgress step();
  void backward(TrainingProgress& progress);
  void time_step(double seconds, TrainingProgress& progress);
  void save();
  void save_model();
  TrainingState state() const {
    return {descent_.parameters(), descent_.averages(), descent_.update().first_moments(),
            descent_.update().second_moments()};
  }
  CheckpointFacts facts() const {
    return {step_, simple_loss_, to_json(options_), network_->config_json(), task_.base, images_};
  }
  TrainingResult result() const {
    return {step_, step_ >= options_.steps, simple_loss_, seconds_since(start_)};
  }

  TrainingOptions options_;
  TrainingTask task_;
  at::Device device_;
  std::shared_ptr<TrainableNetwork> network_;
  Descent descent_;
  LabelTable labels_;
  std::unique_ptr<BatchSource> batches_;
  std::string images_;
  std::int64_t step_ = 0;        ///< steps done
  std::int64_t saved_step_ = 0;  ///< step of the last checkpoint that this call wrote or read
  std::int64_t timed_steps_ = 0;
  double simple_loss_ = 0, seconds_per_step_ = 0;
  Clock::time_point start_ = Clock::now();
};

/// Reads the checkpoint; false if there is none to go on from.
bool Training::resume() {
  const std::string path = checkpoint_path(options_);
  const bool is_there = exists(path);
  if (is_there && options_.start == Start::Fresh) {
    raise({path, "not exist where a training starts afresh", "there is a checkpoint",
           "resume it, or move it away"});
  }
  if (!is_there && options_.start == Start::Resume)
    raise<FileError>({path, "exist to resume from", "is not there"});
  if (!is_there) return false;
  const CheckpointFacts checkpoint = read_checkpoint(path, state(), facts());
  step_ = saved_step_ = checkpoint.step;
  simple_loss_ = checkpoint.simple_loss;
  keep_texts(checkpoint.texts);
  return true;
}

/// Keeps the texts about the model that this call does not give.
void Training::keep_texts(const ModelTexts& before) {
  const auto keep = [](const auto& old, auto& option, auto& text) {
    if (option.empty() && !old.empty()) text = option = old;
  };
  keep(before.class_names, options_.class_names, task_.model.class_names);
  keep(before.license, options_.license, task_.model.license);
  keep(before.origin, options_.origin, task_.model.origin);
}

/// Returns the next batch. A picture that has vanished or is broken ends the training, but the
/// steps before it are saved first.
const Batch& Training::next_batch() {
  try {
    return batches_->at_step(step_);
  } catch (const Error&) {
    if (saved_step_ != step_) save();
    throw;
  }
}

void Training::backward(TrainingProgress& progress) {
  const at::AutoGradMode with_gradients(true);
  Lap lap;
  const Batch batch = moved_to(device_, next_batch());
  progress.data_ms = lap.milliseconds();
  descent_.start_step();
  const at::Tensor rows = at::arange(batch.x.size(0), batch.x.options().dtype(at::kLong));
  const PassInputs inputs = inputs_of(batch, labels_, rows);
  const std::vector<BlockOutput> outputs = network_->outputs(inputs, type_of(options_.precision));
  check_outputs(network_->info(), outputs, batch.x.size(0));
  const LossTerms loss = training_loss(outputs, batch.truth, options_.loss,
                                       draw_exit(options_, step_));
  // All values are copied from the device at once.
  const at::Tensor values = at::stack({loss.total, loss.simple, loss.uncertainty, loss.layers})
                                .detach()
                                .to(at::kCPU, at::kDouble);
  progress.loss = values[0].item<double>();
  progress.simple = values[1].item<double>();
  progress.uncertainty = values[2].item<double>();
  progress.layers = values[3].item<double>();
  descent_.require_finite(progress.loss, "loss", step_ + 1);
  progress.forward_ms = lap.milliseconds();
  loss.total.backward();
  progress.backward_ms = lap.milliseconds();
}

TrainingProgress Training::step() {
  const Clock::time_point begin = Clock::now();
  TrainingProgress progress;
  backward(progress);
  Lap lap;
  progress.learning_rate = options_.learning_rate * descent_.rate_share(step_ + 1);
  progress.gradient_norm = descent_.finish_step(step_ + 1);
  progress.update_ms = lap.milliseconds();
  ++step_;
  simple_loss_ = running_mean(simple_loss_, progress.simple, step_, kLossMemory);
  progress.step = step_;
  progress.steps = options_.steps;
  time_step(seconds_since(begin), progress);
  return progress;
}

void Training::time_step(double seconds, TrainingProgress& progress) {
  seconds_per_step_ = running_mean(seconds_per_step_, seconds, ++timed_steps_, kTimeMemory);
  progress.milliseconds = seconds * 1e3;
  progress.steps_per_second = 1 / seconds_per_step_;
  progress.seconds_left = static_cast<double>(options_.steps - step_) * seconds_per_step_;
  if (options_.minutes > 0) {
    progress.seconds_left = std::clamp(options_.minutes * 60 - seconds_since(start_), 0.0,
                                       progress.seconds_left);
  }
}

void Training::save() {
  descent_.require_finite_state(step_);
  write_checkpoint(checkpoint_path(options_), state(), facts());
  save_model();
  saved_step_ = step_;
}

void Training::save_model() {
  const BorrowedValues averaged(descent_.parameters(), descent_.averages());
  write_model(trained_model(task_, options_, step_), options_.model);
}

TrainingResult Training::run(const TrainingObserver& observer, const std::stop_token& stop) {
  require_writable(checkpoint_path(options_));
  require_writable(options_.model);
  // Two trainings at once would each replace what the other wrote.
  const FileLock model(options_.model, "training");
  const FileLock checkpoint(checkpoint_path(options_), "training");
  const bool is_resumed = resume();
  CsvLog log(options_.log, step_, options_.start == Start::Fresh);
  const std::int64_t first_step = step_;
  bool goes_on = true;
  while (goes_on && step_ < options_.steps && !stop.stop_requested() && !is_out_of_time()) {
    TrainingProgress progress = step();
    log.append(progress);
    progress.checkpointed = step_ % options_.checkpoint_every == 0 || step_ == options_.steps;
    if (progress.checkpointed) save();
    if (observer) goes_on = observer(progress);
  }
  if (saved_step_ != step_) save();
  // A kill right after a checkpoint leaves an older model file, or none.
  if (is_resumed && step_ == first_step) save_model();
  descent_.keep_averages();
  return result();
}

}  // namespace

std::string checkpoint_path(const TrainingOptions& options) {
  return options.checkpoint.empty() ? options.model + ".checkpoint" : options.checkpoint;
}

TrainingResult train_task(const TrainingOptions& options, const TrainingTask& task,
                          const ImageSource& set, const TrainingObserver& observer,
                          const std::stop_token& stop) {
  check_options(options);
  check_task(options, task, set);
  return Training(options, task, set).run(observer, stop);
}

TrainingResult train_network(const TrainingOptions& options,
                             const std::shared_ptr<TrainableNetwork>& network,
                             const ImageSource& set, const TrainingObserver& observer,
                             const std::stop_token& stop) {
  check_options(options);
  return train_task(options, task_around(options, network, set), set, observer, stop);
}

}  // namespace adadiff::detail
