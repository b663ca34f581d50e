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
  for (std::size_t i = 0; i + 1 < times.size(); ++i) {
    require_range(entry(i), times[i], lowest, highest);
    if (!(times[i + 1] < times[i])) {
      raise({entry(i + 1), "be smaller than " + entry(i) + " = " + show(times[i]),
             "is " + show(times[i + 1])});
    }
  }
  if (times.back() != 0)
    raise({entry(times.size() - 1), "be 0, as the last time", "is " + show(times.back())});
}

void check_inputs(const SolverInputs& inputs) {
  check_times(inputs.schedule, inputs.times);
  require_range("eta", inputs.eta, 0.0, 1.0);
}

void check_inputs_without_eta(const SolverInputs& inputs, const char* solver) {
  check_times(inputs.schedule, inputs.times);
  if (inputs.eta != 0) {
    raise({"eta", std::string("be 0 with solver ") + solver, "is " + show(inputs.eta),
           "only ddim takes eta"});
  }
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
  step.added = -std::expm1(2 * log_kept);
  return step;
}

Evaluation evaluation_at(const SolverInputs& inputs, std::size_t index) {
  return {.time = inputs.times[index],
          .next_time = inputs.times[index + 1],
          .step = static_cast<int>(index)};
}

}  // namespace adadiff::detail
