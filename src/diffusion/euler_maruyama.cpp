// Euler-Maruyama on the reverse-time SDE (Song et al. 2021, "Score-Based Generative Modeling
// through SDEs", eq. 6; the sampler of AdaDiff with 1000 uniform steps on vp-linear). With f = d ln
// alpha / dt, g^2 the diffusion and score = -(x - alpha_t x0) / sigma_t^2,
//   x_s = x + (f x - g^2 score)(s - t) + g sqrt(t - s) z
//       = (1 - h f - h g^2 / sigma_t^2) x + (h g^2 alpha_t / sigma_t^2) x0 + g sqrt(h) z,  h = t -
//       s,
// the last step without z where it goes to time 0. Explicit: near noise f is about -g^2 / 2, so the
// factor of x is 1 - h g^2 / 2, and where h g^2 / sigma_t^2 is above 4 the state grows from step to
// step.
#include <cmath>

#include "core/check.h"
#include "diffusion/solvers.h"

namespace adadiff::detail {
namespace {

constexpr double kLargestPull = 4;

void check_pull(double pull, const Step& step) {
  // The last step overshoots once, by noise of the lowest level. NaN does not pass.
  if (pull <= kLargestPull || step.next == 0) return;
  raise({"solver euler-maruyama",
         "have steps whose length x g^2 / sigma^2 is at most " + show(kLargestPull),
         "it is " + show(pull) + " from time " + show(step.time) + " to " + show(step.next),
         "use more steps, another schedule's network, or solver ddpm"});
}

}  // namespace

std::vector<Evaluation> euler_maruyama(const SolverInputs& inputs) {
  check_plain_inputs(inputs, "euler-maruyama");
  std::vector<Evaluation> table;
  for (std::size_t i = 0; i + 1 < inputs.times.size(); ++i) {
    const Step step = step_at(inputs, i);
    const double length = step.time - step.next;
    const double moved = length * inputs.schedule.diffusion(step.time);
    const double pull = moved / (step.sigma_t * step.sigma_t);
    check_pull(pull, step);
    Evaluation& evaluation = table.emplace_back(evaluation_at(inputs, i));
    evaluation.state = 1 - length * inputs.schedule.log_alpha_slope(step.time) - pull;
    evaluation.prediction[0] = pull * step.alpha_t;
    evaluation.noise = step.next == 0 ? 0 : std::sqrt(moved);
  }
  return table;
}

}  // namespace adadiff::detail
