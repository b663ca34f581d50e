// DPM-Solver++ (2M) (Lu et al. 2022b, "DPM-Solver++", alg. 2). With lambda = ln(alpha / sigma),
// h_i = lambda_s - lambda_t and q = h_{i-1} / h_i,
//   D = (1 + 1 / (2q)) x0_i - 1 / (2q) x0_{i-1},
//   x_s = (sigma_s / sigma_t) x - alpha_s (e^{-h_i} - 1) D.
// The first step has no history and the last one, to time 0, an infinite h: both are first order
// (D = x0_i), the last one then is x0_i. Where alpha is 0 at the start, the first h is infinite
// too, and its prediction is no help to the second step.
#include <cmath>

#include "diffusion/solvers.h"

namespace adadiff::detail {

std::vector<Evaluation> dpmpp_2m(const SolverInputs& inputs) {
  check_plain_inputs(inputs, "dpmpp-2m");
  std::vector<Evaluation> table;
  double last_length = INFINITY;
  for (std::size_t i = 0; i + 1 < inputs.times.size(); ++i) {
    const Step step = step_at(inputs, i);
    const double length = log_step(inputs, step);
    const double gain = -step.alpha_s * std::expm1(-length);
    const double extrapolated = std::isinf(length) ? 0 : length / (2 * last_length);
    Evaluation& evaluation = table.emplace_back(evaluation_at(inputs, i));
    evaluation.state = step.sigma_s / step.sigma_t;
    evaluation.prediction[0] = gain * (1 + extrapolated);
    evaluation.prediction[1] = extrapolated == 0 ? 0 : -gain * extrapolated;
    last_length = length;
  }
  return table;
}

}  // namespace adadiff::detail
