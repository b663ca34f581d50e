// Ramps of thresholds, rounded to what a reader would write, and the number of steps that a budget
// pays for.
#include "tuning/budget_plan.h"

#include <algorithm>
#include <cmath>

#include "tuning/solver_costs.h"

namespace adadiff::detail {

float rounded_threshold(double threshold) {
  const double unit = std::pow(10, std::floor(std::log10(threshold)) - 3);
  return static_cast<float>(std::round(threshold / unit) * unit);
}

float largest_threshold(double tilt) {
  const double half = std::sqrt(tilt);
  return static_cast<float>(0.999 * std::min(half, 1 / half));
}

Plan tilted_plan(float threshold, double tilt, int evaluations) {
  if (threshold == 0) return full_depth();
  if (tilt == 1 || evaluations == 1) return exit_below(threshold);
  const double middle = threshold, half = std::sqrt(tilt);
  Plan plan = exit_below_ramp(static_cast<float>(middle / half), static_cast<float>(middle * half),
                              evaluations);
  for (Rule& rule : plan.rules) rule.below = {rounded_threshold(rule.below.front())};
  return plan;
}

SolverSettings with_steps(const Request& request, int steps) {
  SolverSettings settings = request.solver.value_or(SolverSettings{});
  settings.times.clear();
  settings.steps = steps;
  return settings;
}

bool pays_for_full_depth(const Request& request, double budget, int steps) {
  return static_cast<double>(evaluation_count(with_steps(request, steps))) <= budget;
}

int full_steps(const Request& request, double budget) {
  int steps = std::max(1, static_cast<int>(budget));
  while (steps > 1 && !pays_for_full_depth(request, budget, steps)) --steps;
  return steps;
}

}  // namespace adadiff::detail
