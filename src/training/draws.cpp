// Draws from the library's counter-based generator.
#include "training/draws.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/check.h"
#include "core/kernel_status.h"
#include "core/noise_purpose.h"
#include "kernels/noise.h"

namespace adadiff::detail {
namespace {

kernels::NoiseKey key_of(std::uint64_t seed, std::int64_t step, std::uint32_t purpose,
                         std::int64_t position) {
  return {seed, static_cast<std::uint32_t>(step), purpose, static_cast<std::uint32_t>(position)};
}

double uniform(const kernels::NoiseKey& key) {
  float value = 0;
  require_ok(kernels::fill_uniform(key, &value, 1), "fill_uniform");
  return value;
}

double normal(const kernels::NoiseKey& key) {
  float value = 0;
  require_ok(kernels::fill_normal(key, &value, 1), "fill_normal");
  return value;
}

/// Draws one of the `count` times of a step.
double draw_time(const TrainingOptions& options, std::int64_t step, std::int64_t position,
                 std::int64_t count) {
  switch (options.times) {
    case TimeDistribution::Uniform:
      return uniform(key_of(options.seed, step, noise_purpose::kTime, position));
    case TimeDistribution::LogitNormal:
      return 1 /
             (1 + std::exp(-normal(key_of(options.seed, step, noise_purpose::kTime, position))));
    case TimeDistribution::Stratified:
      break;
  }
  const double share = static_cast<double>(position) / static_cast<double>(count);
  return std::fmod(uniform(key_of(options.seed, step, noise_purpose::kTime, 0)) + share, 1.0);
}

}  // namespace

DataOrder::DataOrder(std::uint64_t seed, std::int64_t count)
    : seed_(seed), order_(static_cast<std::size_t>(count)) {}

std::int64_t DataOrder::index(std::int64_t step, std::int64_t batch, std::int64_t position) {
  const auto count = static_cast<std::int64_t>(order_.size());
  const std::int64_t drawn = step * batch + position;
  if (drawn / count != epoch_) shuffle(drawn / count);
  return order_[static_cast<std::size_t>(drawn % count)];
}

/// A shuffle by Fisher and Yates with 64 random bits per swap; its bias of count / 2^64 is
/// negligible for any data set.
void DataOrder::shuffle(std::int64_t epoch) {
  std::iota(order_.begin(), order_.end(), std::int64_t{0});
  std::vector<std::uint32_t> words(order_.size() * 2);
  const kernels::NoiseKey key = key_of(seed_, epoch, noise_purpose::kDataOrder, 0);
  require_ok(kernels::fill_bits(key, words.data(), static_cast<std::int64_t>(words.size())),
             "fill_bits");
  for (std::size_t i = order_.size(); i > 1; --i) {
    const std::uint64_t draw = (std::uint64_t{words[2 * i - 2]} << 32) | words[2 * i - 1];
    std::swap(order_[i - 1], order_[draw % i]);
  }
  epoch_ = epoch;
}

std::vector<double> draw_times(const TrainingOptions& options, const Process& process,
                               std::int64_t step) {
  std::vector<double> times(static_cast<std::size_t>(options.batch));
  const std::int64_t count = options.antithetic ? (options.batch + 1) / 2 : options.batch;
  const double lowest = process.min_time(), highest = process.max_time();
  for (std::int64_t i = 0; i < options.batch; ++i) {
    const double time = i < count ? draw_time(options, step, i, count)
                                  : 1 - draw_time(options, step, i - count, count);
    times[static_cast<std::size_t>(i)] = std::clamp(time, lowest, highest);
  }
  return times;
}

bool drops_label(const TrainingOptions& options, std::int64_t step, std::int64_t position) {
  return uniform(key_of(options.seed, step, noise_purpose::kLabelDrop, position)) <
         options.label_drop;
}

bool mirrors(const TrainingOptions& options, std::int64_t step, std::int64_t position) {
  return options.mirror &&
         uniform(key_of(options.seed, step, noise_purpose::kMirror, position)) < 0.5;
}

double draw_exit(const TrainingOptions& options, std::int64_t step) {
  return uniform(key_of(options.seed, step, noise_purpose::kDistilledExit, 0));
}

double draw_for_run(const TrainingOptions& options, std::int64_t run, std::int64_t item) {
  return uniform(key_of(options.seed, run, noise_purpose::kOwnRuns, item));
}

void draw_noise(const TrainingOptions& options, std::int64_t step, std::int64_t position,
                std::span<float> out) {
  const kernels::NoiseKey key = key_of(options.seed, step, noise_purpose::kTrainingNoise, position);
  require_ok(kernels::fill_normal(key, out.data(), static_cast<std::int64_t>(out.size())),
             "fill_normal");
}

}  // namespace adadiff::detail
