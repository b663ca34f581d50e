// What the searches draw, ramps of thresholds, rounded to what a reader would write, and the number
// of steps that a budget pays for.
#include "tuning/budget_plan.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/check.h"
#include "tuning/solver_costs.h"

namespace adadiff::detail {
namespace {

std::vector<std::int64_t> all_labels(const ModelSummary& model) {
  std::vector<std::int64_t> labels(static_cast<std::size_t>(model.classes));
  std::iota(labels.begin(), labels.end(), std::int64_t{0});
  return labels;
}

}  // namespace

Request search_request(Request request, std::int64_t samples, const ModelSummary& model) {
  require_range("samples", samples, std::int64_t{1}, std::int64_t{1'000'000});
  request.count = samples;
  if (request.labels.empty()) request.labels = all_labels(model);
  if (!request.solver) request.solver = model.default_solver;
  request.plan.reset();
  request.policy = nullptr;
  return request;
}

Request first_samples(Request request, std::int64_t count, const ModelSummary& model) {
  request.count = std::min(request.count, count);
  const std::int64_t values = request.count * model.channels * model.height * model.width;
  for (std::vector<float>* images : {&request.initial_noise, &request.start_image}) {
    if (std::ssize(*images) > values) images->resize(static_cast<std::size_t>(values));
  }
  return request;
}

void require_uncertainty(const ModelSummary& model) {
  if (model.uncertainty != "none") return;
  raise({"the model", "have uncertainty modules, by which samples leave early", "has none",
         "train them: adadiff train --from MODEL --trained exits"});
}

int steps_limit(int most_steps, double budget, int first) {
  const int most = most_steps > 0 ? most_steps : static_cast<int>(std::ceil(3 * budget));
  if (most >= first) return most;
  raise({"most_steps", "be at least the " + show(first) + " full steps that the budget pays for",
         "is " + show(most)});
}

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
