// Feeds the network, and moves samples on by what it said, image by image.
#include "sampling/cpu_state.h"

#include <algorithm>
#include <array>
#include <utility>

#include <ATen/ATen.h>

#include "core/noise_purpose.h"
#include "device/device.h"
#include "sampling/start_values.h"
#include "sampling/update.h"

namespace adadiff::detail {
namespace {

/// All jobs' values of one column of the table, [E, ...] on the device.
template <class Target, class T>
at::Tensor joined(std::span<const Conditions* const> conditions, std::vector<T> Conditions::*column,
                  at::IntArrayRef shape, const at::Device& device) {
  std::vector<T> all;
  for (const Conditions* of_job : conditions)
    all.insert(all.end(), (of_job->*column).begin(), (of_job->*column).end());
  if (all.empty()) return {};
  at::Tensor table = at::empty({std::ssize(all)}, c10::CppTypeToScalarType<Target>::value);
  std::copy(all.begin(), all.end(), table.data_ptr<Target>());
  return table.view(shape).to(device);
}

const at::Tensor* if_defined(const at::Tensor& tensor) {
  return tensor.defined() ? &tensor : nullptr;
}

}  // namespace

CpuState::CpuState(const NetworkInfo& info, std::int64_t capacity, int branches)
    : info_(info),
      device_(torch_device(info.device)),
      capacity_(capacity),
      rows_(capacity * branches),
      values_(info.channels * info.height * info.width),
      history_(static_cast<std::size_t>(capacity)) {
  state_ = images(capacity_, info_.channels);
  time_ = at::empty({rows_}, at::kFloat);
  host_predictions_ = images(rows_, info_.out_channels());
  predictions_ = host_predictions_.to(device_);
}

at::Tensor CpuState::images(std::int64_t count, std::int64_t channels) const {
  return at::zeros({count, channels, info_.height, info_.width}, at::kFloat);
}

void CpuState::reserve(const StateNeeds& needs) {
  while (std::ssize(clean_) < needs.clean_images)
    clean_.push_back(images(capacity_, info_.channels));
  if (needs.base && !base_.defined()) base_ = images(capacity_, info_.channels);
  if (needs.unclamped && !unclamped_.defined()) unclamped_ = images(capacity_, info_.channels);
  if (needs.noise && !noise_.defined()) noise_ = images(1, info_.channels);
  if (needs.input && !input_.defined()) input_ = images(rows_, info_.channels);
}

void CpuState::set_conditions(std::span<const Conditions* const> conditions) {
  const ConditionInfo& sizes = info_.condition;
  labels_ = joined<std::int64_t>(conditions, &Conditions::labels, {-1}, device_);
  tokens_ = joined<float>(conditions, &Conditions::tokens, {-1, sizes.tokens, sizes.token_width},
                          device_);
  mask_ = joined<bool>(conditions, &Conditions::mask, {-1, sizes.tokens}, device_);
  pooled_ = joined<float>(conditions, &Conditions::pooled, {-1, sizes.pooled_width}, device_);
  const bool has_entries = labels_.defined() || tokens_.defined() || pooled_.defined();
  if (has_entries && !entries_.defined()) entries_ = at::empty({rows_}, at::kLong);
}

void CpuState::start(std::int64_t place, const SampleJob& job, std::int64_t sample) {
  history(place) = {needs_of(job).clean_images, -1, -1};
  write_start(job, sample, values(state_, place));
}

PassInputs CpuState::inputs(std::span<const StateGroup> groups) {
  const bool needs_rows = !is_state(groups);
  if (needs_rows && !input_.defined()) input_ = images(rows_, info_.channels);
  std::int64_t rows = 0;
  for (const StateGroup& group : groups) {
    fill_rows(group, needs_rows);
    rows += group.rows();
  }
  x_view_ = needs_rows ? input_.narrow(0, 0, rows)
                       : state_.narrow(0, groups.front().places.front(), rows);
  x_view_ = x_view_.to(device_);
  time_view_ = time_.narrow(0, 0, rows).to(device_);
  entries_view_ = entries_.defined() ? entries_.narrow(0, 0, rows).to(device_) : at::Tensor();
  return {x_view_,
          time_view_,
          entries_view_,
          {if_defined(labels_), if_defined(tokens_), if_defined(mask_), if_defined(pooled_)}};
}

/// Whether the rows are the states as they stand, one after the other.
bool CpuState::is_state(std::span<const StateGroup> groups) const {
  std::int64_t next = groups.front().places.front();
  for (const StateGroup& group : groups) {
    if (group.job.branches() != 1 || group.compiled().prediction.input_scale != 1) return false;
    for (const std::int64_t place : group.places) {
      if (place != next++) return false;
    }
  }
  return true;
}

void CpuState::fill_rows(const StateGroup& group, bool fills_x) {
  const PredictionRule& rule = group.compiled().prediction;
  const int branches = group.job.branches();
  const Conditions& conditions = group.job.conditions;
  std::int64_t row = group.first_row;
  for (std::size_t i = 0; i < group.places.size(); ++i) {
    for (int branch = 0; branch < branches; ++branch, ++row) {
      time_.data_ptr<float>()[row] = static_cast<float>(rule.network_time);
      if (entries_.defined() && conditions.named > 0) {
        const std::int64_t sample = group.first_sample + static_cast<std::int64_t>(i);
        entries_.data_ptr<std::int64_t>()[row] = group.first_entry +
                                                 conditions.entry_of(sample, branch);
      }
      if (!fills_x) continue;
      const Term scaled[] = {{rule.input_scale, values(state_, group.places[i])}};
      combine(scaled, values(input_, row), values_);
    }
  }
}

std::optional<std::int64_t> CpuState::update(const StateGroup& group) {
  if (!device_.is_cpu()) {
    host_predictions_.narrow(0, group.first_row, group.rows())
        .copy_(predictions_.narrow(0, group.first_row, group.rows()));
  }
  for (std::int64_t sample = 0; sample < std::ssize(group.places); ++sample) {
    if (!predict_clean_image(group, sample)) return sample;
  }
  for (std::int64_t sample = 0; sample < std::ssize(group.places); ++sample) step(group, sample);
  return {};
}

const float* CpuState::prediction(const StateGroup& group, std::int64_t sample) const {
  const std::int64_t row = group.first_row + sample * group.job.branches();
  return host_predictions_.const_data_ptr<float>() +
         row * info_.out_channels() * info_.height * info_.width;
}

/// Into the clean image after the newest; which one that is changes only when the step is taken.
bool CpuState::predict_clean_image(const StateGroup& group, std::int64_t sample) {
  const SampleJob& job = group.job;
  const CompiledEvaluation& evaluation = group.compiled();
  const CleanRule rule{evaluation.prediction.clean_from_state,
                       evaluation.prediction.clean_from_output,
                       job.guidance,
                       job.guided_channels * info_.height * info_.width,
                       job.plan.clamp ? job.process.image_min : 0,
                       job.plan.clamp ? job.process.image_max : 0};
  const std::int64_t place = group.places[static_cast<std::size_t>(sample)];
  const float* conditional = prediction(group, sample);
  const std::int64_t row_values = info_.out_channels() * info_.height * info_.width;
  const CleanSources sources{values(state_, place), conditional,
                             job.branches() == 2 ? conditional + row_values : nullptr};
  const CleanImage image{clean(place, history(place).next()),
                         unclamped_.defined() ? values(unclamped_, place) : nullptr};
  if (!predict_clean(rule, sources, image, values_)) return false;
  return !info_.has_learned_variance || all_finite(conditional + values_, values_);
}

void CpuState::step(const StateGroup& group, std::int64_t sample) {
  const Evaluation& rule = group.compiled().update;
  const std::int64_t place = group.places[static_cast<std::size_t>(sample)];
  History& images = history(place);
  images.newest = images.next();
  float* state = values(state_, place);
  if (rule.stage == 0 && base_.defined()) std::copy_n(state, values_, values(base_, place));
  std::array<Term, kPredictionHistory + 4> terms{{{rule.state, state}}};
  std::size_t count = 1;
  if (rule.base != 0) terms[count++] = {rule.base, values(base_, place)};
  for (int back = 0; back < kPredictionHistory; ++back) {
    const double coefficient = rule.prediction[static_cast<std::size_t>(back)];
    if (coefficient == 0) continue;
    terms[count++] = {coefficient, clean(place, images.back(images.newest, back))};
  }
  if (rule.unclamped != 0) terms[count++] = {rule.unclamped, values(unclamped_, place)};
  if (rule.noise != 0) {
    const bool is_scaled = rule.noise_scale == NoiseScale::LearnedVariance;
    terms[count++] = {is_scaled ? 1 : rule.noise, draw_noise(group, sample)};
  }
  combine(std::span(terms).first(count), state, values_);
}

const float* CpuState::draw_noise(const StateGroup& group, std::int64_t sample) {
  const Evaluation& rule = group.compiled().update;
  auto* noise = noise_.data_ptr<float>();
  fill_noise(group.job, noise_purpose::kSolverNoise, group.evaluation, group.first_sample + sample,
             noise);
  if (rule.noise_scale == NoiseScale::LearnedVariance)
    scale_noise({rule.noise, rule.most_noise}, prediction(group, sample) + values_, noise, values_);
  return noise;
}

bool CpuState::read(std::int64_t place, Value value, float* out) const {
  const int shown = history_[static_cast<std::size_t>(place)].shown;
  if (value == Value::CleanImage && shown < 0) return false;
  const float* from = value == Value::State ? values(state_, place) : clean(place, shown);
  std::copy_n(from, values_, out);
  return true;
}

}  // namespace adadiff::detail
