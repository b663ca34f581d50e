// The algebra of predictions. Each one is a mix a clean + b noise; with x = alpha clean + sigma
// noise, output y gives clean = (b x - sigma y) / (alpha b - sigma a).
#include "diffusion/prediction.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace adadiff::detail {
namespace {

struct Mix {
  double clean = 0, noise = 0;
};

/// F of Karras et al. 2022, eq. 7 and table 1, where x / alpha has the noise k = sigma / alpha:
/// clean = c_skip x / alpha + c_out F, c_skip = s^2 / (d^2 + s^2), c_out = d s / sqrt(k^2 + s^2),
/// where d is k, or in consistency models the excess of k over the least noise.
Mix preconditioned_mix(double k, double excess, double data_std) {
  const double variance = data_std * data_std;
  const double skip = variance / (excess * excess + variance);
  const double out = excess * data_std / std::sqrt(k * k + variance);
  return {(1 - skip) / out, -skip * k / out};
}

/// sigma / alpha less that of the least noise. At the least noise itself c_out is 0, and no output
/// of the network would be the right one: a millionth of the noise keeps the algebra finite.
double excess_noise(const Process& process, double k) {
  const double time = process.min_time();
  const double least = process.schedule->sigma(time) / process.schedule->alpha(time);
  return std::max(k - least, 1e-6 * k);
}

Mix mix_of(const Process& process, double alpha, double sigma) {
  switch (process.prediction) {
    case Prediction::Noise:
      return {0, 1};
    case Prediction::Clean:
      return {1, 0};
    case Prediction::Velocity:
      return {-sigma, alpha};
    case Prediction::Flow:
      return {-1, 1};
    case Prediction::FlowToData:
      return {1, -1};
    case Prediction::Preconditioned:
      return preconditioned_mix(sigma / alpha, sigma / alpha, process.data_std);
    case Prediction::Consistency:
      return preconditioned_mix(sigma / alpha, excess_noise(process, sigma / alpha),
                                process.data_std);
  }
  return {};
}

double embedded_time(const Process& process, double time, double alpha, double sigma) {
  const double number = process.embeds == TimeEmbedding::Time ? time : std::log(sigma / alpha);
  return process.time_scale * number + process.time_shift;
}

void check_finite(const std::string& where, double value) {
  if (!std::isfinite(value)) raise({where, "be finite", "is " + show(value)});
}

}  // namespace

PredictionRule prediction_rule(const Process& process, double time) {
  const double alpha = process.schedule->alpha(time), sigma = process.schedule->sigma(time);
  const double data_variance = process.data_std * process.data_std;
  const Mix mix = mix_of(process, alpha, sigma);
  const double divisor = alpha * mix.noise - sigma * mix.clean;
  const double variance = alpha * alpha * data_variance + sigma * sigma;  // of x
  PredictionRule rule;
  rule.network_time = embedded_time(process, time, alpha, sigma);
  const bool scales_input = process.prediction == Prediction::Preconditioned ||
                            process.prediction == Prediction::Consistency;
  if (scales_input) rule.input_scale = 1 / std::sqrt(variance);
  rule.clean_from_state = mix.noise / divisor;
  rule.clean_from_output = -sigma / divisor;
  rule.target_clean = mix.clean;
  rule.target_noise = mix.noise;
  rule.linear_output = (mix.clean * alpha * data_variance + mix.noise * sigma) / variance /
                       rule.input_scale;
  return rule;
}

void check_process(const Process& process, const std::string& prefix) {
  if (!process.schedule) raise({prefix + "schedule", "be set", "is null"});
  check_finite(prefix + "time_scale", process.time_scale);
  check_finite(prefix + "time_shift", process.time_shift);
  if (process.time_scale == 0) raise({prefix + "time_scale", "not be 0", "is 0"});
  require_range(prefix + "grid_shift", process.grid_shift, 0.01, 100.0);
  require_range(prefix + "data_std", process.data_std, 1e-6, 1e6);
  const auto low = static_cast<double>(process.image_min);
  const auto high = static_cast<double>(process.image_max);
  check_finite(prefix + "image_min", low);
  check_finite(prefix + "image_max", high);
  if (!(low < high))
    raise({prefix + "image_min", "be below image_max = " + show(high), "is " + show(low)});
}

}  // namespace adadiff::detail
