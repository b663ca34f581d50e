// DDIM (Song et al. 2021, "Denoising Diffusion Implicit Models", eq. 12 and 16). With eps = (x -
// alpha_t x0) / sigma_t,
//   x_s = alpha_s x0 + sqrt(sigma_s^2 - hat^2) eps + hat z,   hat^2 = eta^2 (sigma_s^2 / sigma_t^2)
//   (1 - alpha_t^2 / alpha_s^2).
// With r = alpha_t / alpha_s the identity 1 - (1 - r^2) / sigma_t^2 = (r sigma_s / sigma_t)^2 turns
// the middle factor into
//   sigma_s sqrt((1 - eta^2) + eta^2 (r sigma_s / sigma_t)^2), in which nothing cancels.
#include <cmath>

#include "diffusion/solvers.h"

namespace adadiff::detail {

std::vector<Evaluation> ddim(const SolverInputs& inputs) {
  check_inputs(inputs);
  const double share = inputs.eta * inputs.eta;
  std::vector<Evaluation> table;
  for (std::size_t i = 0; i + 1 < inputs.times.size(); ++i) {
    const Step step = step_at(inputs, i);
    const double ratio = step.kept * step.sigma_s / step.sigma_t;
    const double predicted_noise = step.sigma_s * std::sqrt((1 - share) + share * ratio * ratio);
    Evaluation& evaluation = table.emplace_back(evaluation_at(inputs, i));
    evaluation.state = predicted_noise / step.sigma_t;
    evaluation.prediction[0] = step.alpha_s - predicted_noise * step.alpha_t / step.sigma_t;
    evaluation.noise = inputs.eta * step.sigma_s / step.sigma_t * std::sqrt(step.added);
  }
  return table;
}

}  // namespace adadiff::detail
