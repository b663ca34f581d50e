// Heun's second-order method as Karras et al. 2022 ("Elucidating the Design Space", alg. 1 without
// churn) have it, on y = x / alpha over k = sigma / alpha, where dy/dk = (y - x0) / k. Two
// evaluations per step from t to s, with D = k_s - k_t < 0:
//   stage 0, Euler:      y' = y + D (y - x0) / k_t                 x' = alpha_s y', evaluated next
//   stage 1, trapezium:  y_s = y + D/2 ((y - x0) / k_t + (y' - x0') / k_s)
// written in x:
//   x_s = D/(2 k_s) x' + (alpha_s/alpha_t)(1 + D/(2 k_t)) x
//         - (alpha_s D/(2 k_s)) x0' - (alpha_s D/(2 k_t)) x0.
// The last step, to time 0, is stage 0 alone: k_s = 0 has no slope. D / (2 k_s) is half of
// k_t / k_s - 1, so a step over a large ratio of noise levels multiplies what the network errs by.
#include "core/check.h"
#include "diffusion/solvers.h"

namespace adadiff::detail {
namespace {

constexpr double kLargestRatio = 20;  // of noise levels: errors are multiplied by up to 9.5

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

void check_ratio(const Step& step) {
  const double ratio = step.sigma_t / step.sigma_s / step.kept;
  if (ratio <= kLargestRatio) return;
  raise(
      {"solver heun-edm",
       "have steps over which sigma / alpha falls to no less than 1/" + show(kLargestRatio),
       "one falls to 1/" + show(ratio) + " from time " + show(step.time) + " to " + show(step.next),
       "use grid karras, more steps, or solver heun"});
}

}  // namespace

std::vector<Evaluation> heun_edm(const SolverInputs& inputs) {
  check_plain_inputs(inputs, "heun-edm");
  std::vector<Evaluation> table;
  for (std::size_t i = 0; i + 1 < inputs.times.size(); ++i) {
    const Step step = step_at(inputs, i);
    table.push_back(euler_stage(step, evaluation_at(inputs, i)));
    if (step.next == 0) continue;
    check_ratio(step);
    table.push_back(trapezium_stage(step, evaluation_at(inputs, i)));
  }
  return table;
}

}  // namespace adadiff::detail
