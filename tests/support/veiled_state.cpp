// Stands in for sampling/state_backends.cpp: all runs of the program that this file is linked into
// keep their numbers here. It shares the arithmetic of sampling/update.h and nothing else with the
// back end of the library.
#include "support/veiled_state.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <map>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "core/noise_purpose.h"
#include "sampling/start_values.h"
#include "sampling/state_backend.h"
#include "sampling/update.h"

namespace adadiff::test {
namespace {

std::atomic<std::int64_t> reads = 0;

/// An image that nobody who holds a pointer to it can use.
class VeiledImage {
 public:
  void set(const std::vector<float>& values) {
    bits_.resize(values.size());
    std::transform(values.begin(), values.end(), bits_.begin(),
                   [](float value) { return ~std::bit_cast<std::uint32_t>(value); });
  }
  std::vector<float> get() const {
    std::vector<float> values(bits_.size());
    std::transform(bits_.begin(), bits_.end(), values.begin(),
                   [](std::uint32_t bits) { return std::bit_cast<float>(~bits); });
    return values;
  }
  bool is_set() const { return !bits_.empty(); }

 private:
  std::vector<std::uint32_t> bits_;
};

struct Sample {
  VeiledImage state, base, shown;
  std::vector<VeiledImage> clean;  ///< the newest first
};

class VeiledState final : public detail::StateBackend {
 public:
  VeiledState(const NetworkInfo& info, std::int64_t capacity, int branches) : info_(info) {
    predictions_ = at::zeros({capacity * branches, info.out_channels(), info.height, info.width},
                             at::kFloat);
  }

  void reserve(const detail::StateNeeds&) override {}

  void set_conditions(std::span<const detail::Conditions* const> conditions) override {
    std::vector<std::int64_t> labels;
    for (const detail::Conditions* of_job : conditions)
      labels.insert(labels.end(), of_job->labels.begin(), of_job->labels.end());
    labels_ = labels.empty() ? at::Tensor() : at::tensor(labels, at::kLong);
  }

  void start(std::int64_t place, const detail::SampleJob& job, std::int64_t sample) override {
    std::vector<float> values(static_cast<std::size_t>(job.image_values()));
    write_start(job, sample, values.data());
    samples_[place] = {};
    samples_[place].state.set(values);
  }

  PassInputs inputs(std::span<const detail::StateGroup> groups) override {
    std::vector<float> x, time;
    std::vector<std::int64_t> entries;
    for (const detail::StateGroup& group : groups) {
      for (std::size_t i = 0; i < group.places.size(); ++i) {
        for (int branch = 0; branch < group.job.branches(); ++branch)
          add_row(group, i, branch, x, time, entries);
      }
    }
    x_ = at::tensor(x).view({-1, info_.channels, info_.height, info_.width});
    time_ = at::tensor(time);
    entries_ = labels_.defined() ? at::tensor(entries, at::kLong) : at::Tensor();
    return {x_, time_, entries_, {.labels = labels_.defined() ? &labels_ : nullptr}};
  }

  const at::Tensor& predictions() const override { return predictions_; }

  std::optional<std::int64_t> update(const detail::StateGroup& group) override {
    std::vector<Moved> moved;
    for (std::int64_t sample = 0; sample < std::ssize(group.places); ++sample) {
      moved.push_back(predict(group, sample));
      if (!moved.back().is_finite) return sample;
    }
    for (std::size_t i = 0; i < moved.size(); ++i) step(group, i, moved[i]);
    return {};
  }

  void end_step(std::int64_t place) override {
    Sample& sample = samples_.at(place);
    sample.shown = sample.clean.front();
  }

  bool read(std::int64_t place, Value value, float* out) const override {
    const Sample& sample = samples_.at(place);
    const VeiledImage& image = value == Value::State ? sample.state : sample.shown;
    if (!image.is_set()) return false;
    ++reads;
    std::ranges::copy(image.get(), out);
    return true;
  }

 private:
  struct Moved {
    bool is_finite = false;
    std::vector<float> clean, unclamped;
  };

  void add_row(const detail::StateGroup& group, std::size_t i, int branch, std::vector<float>& x,
               std::vector<float>& time, std::vector<std::int64_t>& entries) const {
    const detail::PredictionRule& rule = group.compiled().prediction;
    std::vector<float> values = samples_.at(group.places[i]).state.get();
    const detail::Term scaled[] = {{rule.input_scale, values.data()}};
    detail::combine(scaled, values.data(), std::ssize(values));
    x.insert(x.end(), values.begin(), values.end());
    time.push_back(static_cast<float>(rule.network_time));
    if (!labels_.defined()) return;
    const std::int64_t sample = group.first_sample + static_cast<std::int64_t>(i);
    entries.push_back(group.first_entry + group.job.conditions.entry_of(sample, branch));
  }

  Moved predict(const detail::StateGroup& group, std::int64_t sample) const {
    const detail::SampleJob& job = group.job;
    const detail::PredictionRule& prediction = group.compiled().prediction;
    const std::vector<float> state = samples_.at(group.places[static_cast<std::size_t>(sample)])
                                         .state.get();
    const std::int64_t values = std::ssize(state);
    const float* row = prediction_of(group, sample);
    const std::int64_t stride = info_.has_learned_variance ? 2 * values : values;
    Moved moved{false, state, state};
    moved.is_finite = detail::predict_clean(
        {prediction.clean_from_state, prediction.clean_from_output, job.guidance,
         job.guided_channels * info_.height * info_.width,
         job.plan.clamp ? job.process.image_min : 0, job.plan.clamp ? job.process.image_max : 0},
        {state.data(), row, job.branches() == 2 ? row + stride : nullptr},
        {moved.clean.data(), moved.unclamped.data()}, values);
    return moved;
  }

  const float* prediction_of(const detail::StateGroup& group, std::int64_t sample) const {
    const std::int64_t row = group.first_row + sample * group.job.branches();
    return predictions_.const_data_ptr<float>() + row * predictions_[0].numel();
  }

  void step(const detail::StateGroup& group, std::size_t i, const Moved& moved) {
    Sample& sample = samples_.at(group.places[i]);
    const Evaluation& rule = group.compiled().update;
    if (rule.stage == 0) sample.base = sample.state;
    sample.clean.insert(sample.clean.begin(), VeiledImage());
    sample.clean.front().set(moved.clean);
    if (std::ssize(sample.clean) > kPredictionHistory) sample.clean.pop_back();
    std::vector<float> noise = moved.clean;
    if (rule.noise != 0) {
      detail::fill_noise(group.job, detail::noise_purpose::kSolverNoise, group.evaluation,
                         group.first_sample + static_cast<std::int64_t>(i), noise.data());
    }
    const bool is_scaled = rule.noise != 0 && rule.noise_scale == NoiseScale::LearnedVariance;
    const auto values = std::ssize(moved.clean);
    if (is_scaled) {
      detail::scale_noise({rule.noise, rule.most_noise},
                          prediction_of(group, static_cast<std::int64_t>(i)) + values, noise.data(),
                          values);
    }
    std::vector<std::vector<float>> held{sample.state.get(), sample.base.get()};
    for (const VeiledImage& image : sample.clean) held.push_back(image.get());
    std::vector<detail::Term> terms{{rule.state, held[0].data()}, {rule.base, held[1].data()}};
    for (std::size_t back = 0; back < sample.clean.size(); ++back)
      terms.push_back({rule.prediction[back], held[back + 2].data()});
    terms.push_back({rule.unclamped, moved.unclamped.data()});
    terms.push_back({is_scaled ? 1 : rule.noise, noise.data()});
    std::vector<float> next(moved.clean.size());
    detail::combine(terms, next.data(), std::ssize(next));
    sample.state.set(next);
  }

  NetworkInfo info_;
  std::map<std::int64_t, Sample> samples_;
  at::Tensor predictions_, x_, time_, entries_, labels_;
};

}  // namespace

std::int64_t veiled_reads() { return reads; }

}  // namespace adadiff::test

namespace adadiff::detail {

std::unique_ptr<StateBackend> make_state_backend(const NetworkInfo& info, std::int64_t capacity,
                                                 int branches) {
  return std::make_unique<test::VeiledState>(info, capacity, branches);
}

}  // namespace adadiff::detail
