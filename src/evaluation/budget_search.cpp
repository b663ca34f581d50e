// Thresholds by halving, steps one after the other.
#include "evaluation/budget_search.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <sstream>

#include "core/check.h"
#include "evaluation/paired_error.h"
#include "evaluation/solver_table.h"

namespace adadiff::detail {
namespace {

/// To four digits: what a plan shows is what was measured.
float rounded(double threshold) {
  const double unit = std::pow(10, std::floor(std::log10(threshold)) - 3);
  return static_cast<float>(std::round(threshold / unit) * unit);
}

std::string shown(float threshold) {
  std::ostringstream text;
  text.precision(4);
  text << threshold;
  return text.str();
}

class Search {
 public:
  Search(const BudgetSearch& search, const ModelSummary& model, const Runner& run) : search_(search), model_(model), run_(run) {}

  BudgetResult result();

 private:
  Request with_steps(int steps, const Plan& plan) const;
  BudgetTrial measure(int steps, float threshold);
  std::optional<BudgetTrial> best_threshold(int steps);

  const BudgetSearch& search_;
  const ModelSummary& model_;
  const Runner& run_;
  std::vector<float> reference_;  ///< image values of the full-depth run
};

SolverSettings settings(const BudgetSearch& search, int steps) {
  SolverSettings settings = search.request.solver.value_or(SolverSettings{});
  settings.times.clear();
  settings.steps = steps;
  return settings;
}

bool pays_for_full_depth(const BudgetSearch& search, int steps) {
  return static_cast<double>(solver_table(settings(search, steps)).size()) <= search.budget;
}

/// The most steps that full depth can make within the budget; at least 1.
int full_steps(const BudgetSearch& search) {
  int steps = std::max(1, static_cast<int>(search.budget));
  while (steps > 1 && !pays_for_full_depth(search, steps)) --steps;
  return steps;
}

/// What runs are compared with has to be finer than all of them.
int reference_steps(const BudgetSearch& search, int most) {
  constexpr int kUsual = 50;
  if (search.reference_steps == 0) return std::max(kUsual, 2 * most);
  if (search.reference_steps > most) return search.reference_steps;
  raise({"reference_steps", "be more than the " + show(std::int64_t{most}) + " steps that are tried at most",
         "is " + show(std::int64_t{search.reference_steps}), "raise it, or lower most_steps"});
}

void require_no_noise(const BudgetSearch& search) {
  if (!draws_noise(settings(search, 2))) return;
  raise({"solver", "be one that draws no noise on the way, such as ddim with eta 0", "is " + settings(search, 2).solver,
         "runs of different numbers of steps could not be compared"});
}

Request Search::with_steps(int steps, const Plan& plan) const {
  Request request = search_.request;
  request.solver = settings(search_, steps);
  request.plan = plan;
  request.policy = nullptr;
  return request;
}

BudgetTrial Search::measure(int steps, float threshold) {
  const Plan plan = threshold > 0 ? exit_below(threshold) : full_depth();
  const std::string note = show(std::int64_t{steps}) + " steps, " + (threshold > 0 ? "threshold " + shown(threshold) : "full depth");
  const Result result = run_(with_steps(steps, plan), note);
  const ImagePair pair{.first = result.images.values,
                       .second = reference_,
                       .channels = model_.channels,
                       .height = model_.height,
                       .width = model_.width,
                       .low = model_.image_min,
                       .high = model_.image_max};
  return {steps, threshold, result.trace.full_evaluations(), mean_square(pair)};
}

/// The deepest within the budget; none where leaving at once would still cost more.
std::optional<BudgetTrial> Search::best_threshold(int steps) {
  if (pays_for_full_depth(search_, steps)) return measure(steps, 0);
  std::optional<BudgetTrial> best;
  float low = 0, high = 1;
  for (int trial = 0; trial < search_.most_trials; ++trial) {
    // Thresholds matter by their ratio; the first try is a usual one.
    const float threshold = rounded(trial == 0 ? 0.05 : low > 0 ? std::sqrt(static_cast<double>(low) * high) : high / 4);
    const BudgetTrial found = measure(steps, threshold);
    if (found.cost > search_.budget) {
      low = threshold;
      continue;
    }
    high = threshold;
    if (!best || found.cost > best->cost) best = found;
    if (found.cost >= search_.budget * (1 - search_.tolerance)) break;
  }
  return best;
}

BudgetResult Search::result() {
  constexpr int kPatience = 2;  // numbers of steps that may be worse before the search ends
  const int first = full_steps(search_);
  const int most = search_.most_steps > 0 ? search_.most_steps : static_cast<int>(std::ceil(3 * search_.budget));
  if (most < first) {
    raise({"most_steps", "be at least the " + show(std::int64_t{first}) + " full steps that the budget pays for",
           "is " + show(std::int64_t{most})});
  }
  BudgetResult result;
  result.reference_steps = reference_steps(search_, most);
  reference_ = run_(with_steps(result.reference_steps, full_depth()), "full depth, to compare with").images.values;
  int worse = 0;
  for (int steps = first; steps <= most && worse < kPatience; ++steps) {
    const std::optional<BudgetTrial> found = best_threshold(steps);
    if (!found) break;
    const bool is_better = result.trials.empty() || found->mse < result.best.mse;
    worse = is_better ? 0 : worse + 1;
    if (is_better) result.best = *found;
    result.trials.push_back(*found);
  }
  if (result.trials.empty()) {
    raise({"budget", "pay for one evaluation of the solver", "is " + show(search_.budget), "raise it"});
  }
  result.plan = result.best.threshold > 0 ? exit_below(result.best.threshold) : full_depth();
  result.plan.solver = settings(search_, result.best.steps);
  result.plan.model = model_.id;
  return result;
}

}  // namespace

BudgetResult search_budget(const BudgetSearch& search, const ModelSummary& model, const Runner& run) {
  require_range("budget", search.budget, 1.0, 10000.0);
  require_range("reference_steps", search.reference_steps, 0, 10000);
  require_range("most_steps", search.most_steps, 0, 10000);
  require_no_noise(search);
  if (model.uncertainty == "none") {
    raise({"the model", "have uncertainty modules, by which samples leave early", "has none",
           "train them: adadiff train --from MODEL --trained exits"});
  }
  return Search(search, model, run).result();
}

}  // namespace adadiff::detail
