// DDPM's ancestral sampling (Ho et al. 2020, alg. 2 with variance beta-tilde, eq. 6 and 7) between
// any two times of the grid: with r = alpha_t / alpha_s and beta = 1 - r^2 in the place of one
// discrete step's alpha_t and beta_t,
//   q(x_s | x_t, x0) = N( (r sigma_s^2 / sigma_t^2) x_t + (alpha_s beta / sigma_t^2) x0, (sigma_s^2
//   / sigma_t^2) beta ).
// A network with learned variances chooses between that variance and beta (Nichol & Dhariwal 2021,
// eq. 15); the step to time 0 draws no noise.
#include <cmath>

#include "diffusion/solvers.h"

namespace adadiff::detail {

std::vector<Evaluation> ddpm(const SolverInputs& inputs) {
  check_plain_inputs(inputs, "ddpm");
  std::vector<Evaluation> table;
  for (std::size_t i = 0; i + 1 < inputs.times.size(); ++i) {
    const Step step = step_at(inputs, i);
    const double ratio = step.sigma_s / step.sigma_t;
    Evaluation& evaluation = table.emplace_back(evaluation_at(inputs, i));
    evaluation.state = step.kept * ratio * ratio;
    // alpha_s beta / sigma_t^2; at s = 0 beta is sigma_t^2, and rounding must not spoil the
    // exact 1.
    evaluation.prediction[0] = step.next == 0
                                   ? 1
                                   : step.alpha_s * step.added / (step.sigma_t * step.sigma_t);
    evaluation.noise = ratio * std::sqrt(step.added);
    if (inputs.learned_variance && evaluation.noise > 0) {
      evaluation.noise_scale = NoiseScale::LearnedVariance;
      evaluation.most_noise = std::sqrt(step.added);
    }
  }
  return table;
}

}  // namespace adadiff::detail
