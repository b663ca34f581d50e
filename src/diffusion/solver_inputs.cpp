// What solvers share: checks of their inputs, and alpha and sigma at both ends of a step.
#include <cmath>

#include "core/check.h"
#include "diffusion/solvers.h"

namespace adadiff::detail {
namespace {

std::string entry(std::size_t index) { return "times[" + std::to_string(index) + "]"; }

}  // namespace

void check_times(const NoiseSchedule& schedule, std::span<const double> times) {
  if (times.size() < 2 || times.size() > kMostSteps + 1) {
    raise({"times", "have 2 to " + show(kMostSteps + 1) + " entries",
           "has " + show(static_cast<std::int64_t>(times.size()))});
  }
  const double lowest = schedule.min_time(), highest = schedule.max_time();
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (i > 0 && !(times[i] < times[i - 1])) {
      raise({entry(i), "be smaller than " + entry(i - 1) + " = " + show(times[i - 1]),
             "is " + show(times[i])});
    }
    const bool is_clean = i + 1 == times.size() && times[i] == 0;
    if (is_clean || (times[i] >= lowest && times[i] <= highest)) continue;
    raise({entry(i), "be in [" + show(lowest) + ", " + show(highest) + "]", "is " + show(times[i]),
           "with noise schedule " + schedule.name() + " networks are evaluated there only"});
  }
}

void check_plain_inputs(const SolverInputs& inputs, const char* solver) {
  check_times(inputs.schedule, inputs.times);
  const std::string must = std::string(" with solver ") + solver;
  if (inputs.eta != 0)
    raise({"eta", "be 0" + must, "is " + show(inputs.eta), "only ddim takes eta"});
  if (inputs.keep_noise)
    raise({"keep_noise", "be false" + must, "is true", "only ddim takes keep_noise"});
}

double log_step(const SolverInputs& inputs, const Step& step) {
  return 0.5 * (inputs.schedule.log_snr(step.next) - inputs.schedule.log_snr(step.time));
}

Step step_at(const SolverInputs& inputs, std::size_t index) {
  const NoiseSchedule& schedule = inputs.schedule;
  Step step{.time = inputs.times[index], .next = inputs.times[index + 1]};
  const double log_kept = schedule.log_alpha(step.time) - schedule.log_alpha(step.next);
  step.alpha_t = schedule.alpha(step.time);
  step.sigma_t = schedule.sigma(step.time);
  step.alpha_s = schedule.alpha(step.next);
  step.sigma_s = schedule.sigma(step.next);
  step.kept = std::exp(log_kept);
  // kept sigma_s / sigma_t is the ratio of alpha / sigma at t and at s.
  step.added = -step.sigma_t * step.sigma_t * std::expm1(-2 * log_step(inputs, step));
  return step;
}

Evaluation evaluation_at(const SolverInputs& inputs, std::size_t index) {
  return {.time = inputs.times[index],
          .next_time = inputs.times[index + 1],
          .step = static_cast<int>(index)};
}

}  // namespace adadiff::detail
