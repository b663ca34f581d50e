// Starts a batch, feeds the network, and moves the batch on by what the network said.
#include "sampling/batch_state.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "core/check.h"
#include "core/kernel_status.h"
#include "core/noise_purpose.h"
#include "kernels/noise.h"
#include "sampling/update.h"

namespace adadiff::detail {
namespace {

void fill_noise(const SampleJob& job, std::uint32_t purpose, int evaluation, std::int64_t sample,
                float* out) {
  const kernels::NoiseKey key{job.seed, static_cast<std::uint32_t>(evaluation), purpose,
                              static_cast<std::uint32_t>(sample)};
  require_ok(kernels::fill_normal(key, out, job.image_values()), "fill_normal");
}

bool needs(const ExecutablePlan& plan, double Evaluation::*coefficient) {
  return std::any_of(plan.evaluations.begin(), plan.evaluations.end(),
                     [coefficient](const auto& e) { return e.update.*coefficient != 0; });
}

/// Whether the network's input is a tensor of its own: a row per branch, or the state scaled.
bool needs_input(const SampleJob& job) {
  const auto& evaluations = job.plan.evaluations;
  return job.branches() == 2 ||
         std::any_of(evaluations.begin(), evaluations.end(),
                     [](const auto& e) { return e.prediction.input_scale != 1; });
}

/// Enough for what updates look back on, and for the prediction of the last whole step to outlive
/// the step in progress.
int clean_slots(const ExecutablePlan& plan) {
  int slots = 1;
  for (const CompiledEvaluation& evaluation : plan.evaluations) {
    for (int back = 0; back < kPredictionHistory; ++back) {
      if (evaluation.update.prediction[static_cast<std::size_t>(back)] != 0)
        slots = std::max(slots, back + 1);
    }
    slots = std::max(slots, evaluation.update.stage + 1);
  }
  return slots + 1;
}

}  // namespace

void write_start(const SampleJob& job, std::int64_t sample, float* out) {
  const std::int64_t values = job.image_values();
  if (job.initial_noise.empty()) {
    fill_noise(job, noise_purpose::kInitialNoise, 0, sample, out);
  } else {
    std::copy_n(job.initial_noise.data() + sample * values, values, out);
  }
  if (job.start_image.empty()) {
    if (job.start_sigma == 1) return;
    const Term noise[] = {{job.start_sigma, out}};
    combine(noise, out, values);
    return;
  }
  const Term terms[] = {{job.start_alpha, job.start_image.data() + sample * values},
                        {job.start_sigma, out}};
  combine(terms, out, values);
}

std::int64_t batch_bytes(const SampleJob& job) {
  const int branches = job.branches();
  const int guides = job.plan.guide_slots() * branches;  // held by the execution
  int per_sample = 1 + clean_slots(job.plan) + branches + guides;
  for (const auto coefficient : {&Evaluation::base, &Evaluation::noise, &Evaluation::unclamped})
    per_sample += needs(job.plan, coefficient) ? 1 : 0;
  if (needs_input(job)) per_sample += branches;
  return job.batch * per_sample * job.image_values() * static_cast<std::int64_t>(sizeof(float));
}

std::int64_t image_bytes(const SampleJob& job) {
  return job.count * job.image_values() * static_cast<std::int64_t>(sizeof(float));
}

BatchState::BatchState(const SampleJob& job) : job_(job), values_(job.image_values()) {
  const NetworkInfo& info = job.network->info();
  const std::int64_t rows = job.batch * job.branches();
  const auto images = [&info](std::int64_t count) {
    return at::zeros({count, info.channels, info.height, info.width}, at::kFloat);
  };
  state_ = images(job.batch);
  if (needs(job.plan, &Evaluation::base)) base_ = images(job.batch);
  if (needs(job.plan, &Evaluation::noise)) noise_ = images(job.batch);
  if (needs(job.plan, &Evaluation::unclamped)) unclamped_ = images(job.batch);
  for (int slot = clean_slots(job.plan); slot > 0; --slot) clean_.push_back(images(job.batch));
  if (needs_input(job)) input_ = images(rows);
  out_ = images(rows);
  time_ = at::empty({rows}, at::kFloat);
  if (!job.labels.empty()) labels_ = at::empty({rows}, at::kLong);
}

void BatchState::start(std::int64_t first_sample, std::int64_t samples) {
  first_sample_ = first_sample;
  samples_ = samples;
  newest_slot_ = shown_slot_ = -1;
  for (std::int64_t i = 0; i < samples; ++i)
    write_start(job_, first_sample + i, state_.data_ptr<float>() + i * values_);
  const std::int64_t rows = samples * job_.branches();
  x_view_ = (input_.defined() ? input_ : state_).narrow(0, 0, rows);
  time_view_ = time_.narrow(0, 0, rows);
  if (labels_.defined()) fill_labels();
}

void BatchState::fill_labels() {
  const int branches = job_.branches();
  auto* label = labels_.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < samples_; ++i) {
    *label++ = job_.labels[static_cast<std::size_t>(first_sample_ + i) % job_.labels.size()];
    if (branches == 2) *label++ = job_.network->info().null_label;
  }
  labels_view_ = labels_.narrow(0, 0, samples_ * branches);
}

PassInputs BatchState::inputs(const CompiledEvaluation& evaluation) {
  std::fill_n(time_.data_ptr<float>(), time_view_.size(0),
              static_cast<float>(evaluation.prediction.network_time));
  if (input_.defined()) {
    const int branches = job_.branches();
    float* input = input_.data_ptr<float>();
    for (std::int64_t row = 0; row < samples_ * branches; ++row) {
      const Term scaled[] = {{evaluation.prediction.input_scale, state(row / branches)}};
      combine(scaled, input + row * values_, values_);
    }
  }
  return {x_view_, time_view_, labels_view_};
}

void BatchState::update(const CompiledEvaluation& evaluation, int index) {
  const auto slots = static_cast<int>(clean_.size());
  const int slot = (newest_slot_ + 1) % slots;
  predict_clean_images(evaluation, clean_[static_cast<std::size_t>(slot)].data_ptr<float>());
  newest_slot_ = slot;

  const Evaluation& rule = evaluation.update;
  const std::int64_t count = samples_ * values_;
  float* state = state_.data_ptr<float>();
  if (rule.stage == 0 && base_.defined()) std::copy_n(state, count, base_.data_ptr<float>());
  std::vector<Term> terms{{rule.state, state}};
  if (rule.base != 0) terms.push_back({rule.base, base_.data_ptr<float>()});
  for (int back = 0; back < kPredictionHistory; ++back) {
    const double coefficient = rule.prediction[static_cast<std::size_t>(back)];
    if (coefficient == 0) continue;
    terms.push_back(
        {coefficient,
         clean_[static_cast<std::size_t>((slot - back + slots) % slots)].data_ptr<float>()});
  }
  if (rule.unclamped != 0) terms.push_back({rule.unclamped, unclamped_.data_ptr<float>()});
  if (rule.noise != 0) {
    draw_noise(index);
    terms.push_back({rule.noise, noise_.data_ptr<float>()});
  }
  combine(terms, state, count);
}

void BatchState::predict_clean_images(const CompiledEvaluation& evaluation, float* clean) const {
  const Process& process = job_.process;
  const CleanRule rule{evaluation.prediction.clean_from_state,
                       evaluation.prediction.clean_from_output, job_.guidance,
                       job_.plan.clamp ? process.image_min : 0,
                       job_.plan.clamp ? process.image_max : 0};
  const int branches = job_.branches();
  for (std::int64_t i = 0; i < samples_; ++i) {
    const float* conditional = out_.data_ptr<float>() + i * branches * values_;
    const CleanSources sources{state(i), conditional,
                               branches == 2 ? conditional + values_ : nullptr};
    const CleanImage image{clean + i * values_, unclamped_.defined()
                                                    ? unclamped_.data_ptr<float>() + i * values_
                                                    : nullptr};
    if (!predict_clean(rule, sources, image, values_)) {
      raise<ModelError>({"network \"" + job_.network->info().kind + "\"", "give finite values",
                         "gave NaN or infinity at step " + show(evaluation.update.step) +
                             " for sample " + show(first_sample_ + i),
                         "ForwardPass::predict writes every value of its rows into out"});
    }
  }
}

void BatchState::draw_noise(int index) {
  float* noise = noise_.data_ptr<float>();
  for (std::int64_t i = 0; i < samples_; ++i)
    fill_noise(job_, noise_purpose::kSolverNoise, index, first_sample_ + i, noise + i * values_);
}

const float* BatchState::state(std::int64_t index) const {
  return state_.data_ptr<float>() + index * values_;
}

const float* BatchState::latest_clean(std::int64_t index) const {
  if (shown_slot_ < 0) return nullptr;
  return clean_[static_cast<std::size_t>(shown_slot_)].data_ptr<float>() + index * values_;
}

}  // namespace adadiff::detail
