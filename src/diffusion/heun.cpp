// Heun's method as an exponential integrator: second order in lambda = ln(alpha / sigma) on clean
// predictions (Hochbruck & Ostermann 2005, "Explicit exponential Runge-Kutta methods", eq. 5.8 with
// c2 = 1; Zhang et al. 2023, "Improved order analysis and design of exponential integrator for
// diffusion models sampling"). The solution of the probability flow ODE from t to s is
//   x_s = (sigma_s / sigma_t) x + alpha_s int_0^h e^(u - h) D(u) du,   h = lambda_s - lambda_t,
// with the clean prediction D at lambda_t + u. Two evaluations per step:
//   stage 0, D constant:  x' = (sigma_s / sigma_t) x + alpha_s (1 - e^-h) D_t
//   stage 1, D linear:    x_s = (sigma_s / sigma_t) x + alpha_s (w D_s + (1 - e^-h - w) D_t),
//   w = (h - 1 + e^-h) / h.
// All weights are in [0, 1] for any h, and h is infinite where alpha_t is 0. In sigma / alpha, as
// Karras et al. 2022 write it (heun_edm.cpp), a long step has weights that grow without bound. The
// last step, to time 0, is stage 0 alone.
#include <cmath>

#include "diffusion/solvers.h"

namespace adadiff::detail {
namespace {

Evaluation constant_stage(const Step& step, double length, Evaluation evaluation) {
  evaluation.state = step.sigma_s / step.sigma_t;
  evaluation.prediction[0] = -step.alpha_s * std::expm1(-length);
  return evaluation;
}

Evaluation linear_stage(const Step& step, double length, Evaluation evaluation) {
  const double sum = -std::expm1(-length);
  const double newest = std::isinf(length) ? 1 : (length - sum) / length;
  evaluation.time = step.next;
  evaluation.stage = 1;
  evaluation.base = step.sigma_s / step.sigma_t;
  evaluation.prediction = {step.alpha_s * newest, step.alpha_s * (sum - newest)};
  return evaluation;
}

}  // namespace

std::vector<Evaluation> heun(const SolverInputs& inputs) {
  check_plain_inputs(inputs, "heun");
  std::vector<Evaluation> table;
  for (std::size_t i = 0; i + 1 < inputs.times.size(); ++i) {
    const Step step = step_at(inputs, i);
    const double length = log_step(inputs, step);
    table.push_back(constant_stage(step, length, evaluation_at(inputs, i)));
    if (step.next > 0) table.push_back(linear_stage(step, length, evaluation_at(inputs, i)));
  }
  return table;
}

}  // namespace adadiff::detail
