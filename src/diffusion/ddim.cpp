// DDIM (Song et al. 2021, "Denoising Diffusion Implicit Models", eq. 12 and 16). With
// eps = (x - alpha_t x0) / sigma_t and r = alpha_t / alpha_s,
//   x_s = alpha_s x0 + sqrt(sigma_s^2 - hat^2) eps + hat z,
//   hat^2 = eta^2 (sigma_s^2 / sigma_t^2) (sigma_t^2 - r^2 sigma_s^2).
// The middle factor is sigma_s sqrt((1 - eta^2) + eta^2 (r sigma_s / sigma_t)^2), in which nothing
// cancels. Where x0 is clamped, eps is that of the clamped x0, so that the two agree, or with
// keep_noise that of x0 before (diffusers' clip_sample).
#include <cmath>

#include "core/check.h"
#include "diffusion/solvers.h"

namespace adadiff::detail {

std::vector<Evaluation> ddim(const SolverInputs& inputs) {
  check_times(inputs.schedule, inputs.times);
  require_range("eta", inputs.eta, 0.0, 1.0);
  const double share = inputs.eta * inputs.eta;
  std::vector<Evaluation> table;
  for (std::size_t i = 0; i + 1 < inputs.times.size(); ++i) {
    const Step step = step_at(inputs, i);
    const double ratio = step.kept * step.sigma_s / step.sigma_t;
    const double noise = step.sigma_s * std::sqrt((1 - share) + share * ratio * ratio);
    const double clean_in_noise = -noise * step.alpha_t / step.sigma_t;
    Evaluation& evaluation = table.emplace_back(evaluation_at(inputs, i));
    evaluation.state = noise / step.sigma_t;
    evaluation.prediction[0] = step.alpha_s + (inputs.keep_noise ? 0 : clean_in_noise);
    evaluation.unclamped = inputs.keep_noise ? clean_in_noise : 0;
    evaluation.noise = inputs.eta * step.sigma_s / step.sigma_t * std::sqrt(step.added);
  }
  return table;
}

}  // namespace adadiff::detail
