// Heun's second-order method (Karras et al. 2022, "Elucidating the Design Space", alg. 1 without
// churn) on y = x / alpha over k = sigma / alpha, where dy/dk = (y - x0) / k. Two evaluations per
// step from t to s, with D = k_s - k_t < 0:
//   stage 0, Euler:      y' = y + D (y - x0) / k_t                                    x' = alpha_s
//   y', evaluated next, at time s stage 1, trapezium:  y_s = y + D/2 ((y - x0) / k_t + (y' - x0') /
//   k_s)
// written in x: x_s = D/(2 k_s) x' + (alpha_s/alpha_t)(1 + D/(2 k_t)) x - (alpha_s D/(2 k_s)) x0' -
// (alpha_s D/(2 k_t)) x0. The last step, to time 0, is stage 0 alone: k_s = 0 has no slope.
#include "diffusion/solvers.h"

namespace adadiff::detail {
namespace {

Evaluation euler_stage(const Step& step, Evaluation evaluation) {
  evaluation.state = step.sigma_s / step.sigma_t;
  evaluation.prediction[0] = step.alpha_s - step.sigma_s * step.alpha_t / step.sigma_t;
  return evaluation;
}

Evaluation trapezium_stage(const Step& step, Evaluation evaluation) {
  const double k_t = step.sigma_t / step.alpha_t, k_s = step.sigma_s / step.alpha_s;
  const double half_of_t = (k_s - k_t) / (2 * k_t), half_of_s = (k_s - k_t) / (2 * k_s);
  evaluation.time = step.next;
  evaluation.stage = 1;
  evaluation.state = half_of_s;
  evaluation.base = (1 + half_of_t) / step.kept;
  evaluation.prediction = {-step.alpha_s * half_of_s, -step.alpha_s * half_of_t};
  return evaluation;
}

}  // namespace

std::vector<Evaluation> heun(const SolverInputs& inputs) {
  check_inputs_without_eta(inputs, "heun");
  std::vector<Evaluation> table;
  for (std::size_t i = 0; i + 1 < inputs.times.size(); ++i) {
    const Step step = step_at(inputs, i);
    table.push_back(euler_stage(step, evaluation_at(inputs, i)));
    if (step.next > 0) table.push_back(trapezium_stage(step, evaluation_at(inputs, i)));
  }
  return table;
}

}  // namespace adadiff::detail
