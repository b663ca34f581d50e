// Finds thresholds by halving, tries numbers of steps one after the other, then descends over
// tilts.
#include "tuning/budget_search.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "core/check.h"
#include "metrics/paired_error.h"
#include "tuning/budget_plan.h"
#include "tuning/solver_costs.h"

namespace adadiff {
namespace detail {
namespace {

std::string shown(float threshold) {
  std::ostringstream text;
  text.precision(4);
  text << threshold;
  return text.str();
}

/// What a trial is about. The tilt is 2^doublings.
struct Choice {
  int steps = 0, doublings = 0;
  bool operator<(const Choice& other) const {
    return std::tie(steps, doublings) < std::tie(other.steps, other.doublings);
  }
  double tilt() const { return std::exp2(doublings); }
};

/// Beyond a tilt of 4 the paired error may still fall, while the last steps leave specks that KID
/// sees (docs/decisions/0006).
constexpr int kMostDoublings = 2;

/// Numbers of steps: those of the first and of the last trial, and those of the reference.
struct StepRange {
  int first = 1, most = 1, reference = 1;
};

class Search {
 public:
  Search(const PairedTuningOptions& options, const ModelSummary& model, const Runner& run)
      : options_(options),
        request_(search_request(options.request, options.samples, model)),
        model_(model),
        run_(run) {}

  PairedTuningResult result();

 private:
  Request request_for(int steps, const Plan& plan) const;
  Plan plan_of(const Choice& choice, float threshold) const;
  PairedTrial measure(const Choice& choice, float threshold);
  std::optional<PairedTrial> best_threshold(const Choice& choice, float first_try);
  const std::optional<PairedTrial>& tried(const Choice& choice, float first_try);
  void explore(const StepRange& range);
  void try_steps(int first, int most);
  void descend(int first, int most);
  const PairedTrial* best_trial(const std::function<bool(const PairedTrial&)>& counts) const;

  const PairedTuningOptions& options_;
  const Request request_;
  const ModelSummary& model_;
  const Runner& run_;
  std::vector<float> reference_;                         ///< image values of the full-depth run
  std::map<Choice, std::optional<PairedTrial>> trials_;  ///< no value where no threshold meets the
                                                         ///< budget
};

/// The number of steps of the reference, which has to be finer than all runs that are compared with
/// it.
int reference_steps(const PairedTuningOptions& options, int most) {
  constexpr int kUsual = 50;
  if (options.reference_steps == 0) return std::max(kUsual, 2 * most);
  if (options.reference_steps > most) return options.reference_steps;
  raise({"reference_steps", "be more than the " + show(most) + " steps that are tried at most",
         "is " + show(options.reference_steps), "raise it, or lower most_steps"});
}

void require_no_noise(const SolverSettings& settings) {
  if (!draws_noise(settings)) return;
  raise({"solver", "be one that draws no noise on the way, such as ddim with eta 0",
         "is " + settings.solver, "runs of different numbers of steps could not be compared"});
}

Request Search::request_for(int steps, const Plan& plan) const {
  Request request = request_;
  request.solver = with_steps(request_, steps);
  request.plan = plan;
  return request;
}

Plan Search::plan_of(const Choice& choice, float threshold) const {
  const auto evaluations = static_cast<int>(evaluation_count(with_steps(request_, choice.steps)));
  return tilted_plan(threshold, choice.tilt(), evaluations);
}

PairedTrial Search::measure(const Choice& choice, float threshold) {
  std::string note = show(choice.steps) + " steps, " +
                     (threshold > 0 ? "threshold " + shown(threshold) : "full depth");
  if (choice.doublings != 0) note += ", tilt " + show(choice.tilt());
  const Result result = run_(request_for(choice.steps, plan_of(choice, threshold)), note);
  const ImagePair pair{.first = result.images.values,
                       .second = reference_,
                       .channels = model_.channels,
                       .height = model_.height,
                       .width = model_.width,
                       .low = model_.image_min,
                       .high = model_.image_max};
  return {choice.steps, threshold, choice.tilt(), result.trace.full_evaluations(),
          mean_square(pair)};
}

/// The threshold to try between two others: their geometric mean, since thresholds matter by their
/// ratio, or a quarter of `high` where `low` is 0.
double between(float low, float high) {
  return low > 0 ? std::sqrt(static_cast<double>(low) * high) : high / 4;
}

/// The trial within the budget that uses the most compute; none where even the highest thresholds
/// cost more than the budget.
std::optional<PairedTrial> Search::best_threshold(const Choice& choice, float first_try) {
  if (pays_for_full_depth(request_, options_.budget, choice.steps)) return measure(choice, 0);
  std::optional<PairedTrial> best;
  float low = 0, high = largest_threshold(choice.tilt());
  for (int trial = 0; trial < options_.most_thresholds; ++trial) {
    const float threshold = rounded_threshold(trial == 0 ? std::min(first_try, high)
                                                         : between(low, high));
    const PairedTrial found = measure(choice, threshold);
    if (found.cost > options_.budget) {
      low = threshold;
      continue;
    }
    high = threshold;
    if (!best || found.cost > best->cost) best = found;
    if (found.cost >= options_.budget * (1 - options_.tolerance)) break;
  }
  return best;
}

/// The trial of this choice, which is measured at most once.
const std::optional<PairedTrial>& Search::tried(const Choice& choice, float first_try) {
  const auto known = trials_.find(choice);
  return known != trials_.end() ? known->second
                                : trials_[choice] = best_threshold(choice, first_try);
}

void Search::try_steps(int first, int most) {
  constexpr int kPatience = 2;  // how many numbers of steps in a row may be worse before the search
                                // ends
  constexpr float kUsual = 0.05F;
  int worse = 0;
  const PairedTrial* best = nullptr;
  for (int steps = first; steps <= most && worse < kPatience; ++steps) {
    const auto& found = tried({steps, 0},
                              best != nullptr && best->threshold > 0 ? best->threshold : kUsual);
    if (!found) break;
    const bool is_better = best == nullptr || found->mse < best->mse;
    worse = is_better ? 0 : worse + 1;
    if (is_better) best = &*found;
  }
}

/// Starts from the best trial that leaves early, and moves to the first neighbour that is better
/// until there is none.
void Search::descend(int first, int most) {
  const PairedTrial* here = best_trial(
      [](const PairedTrial& trial) { return trial.threshold > 0; });
  const auto goes_to = [&](int steps, int doublings) {
    const bool is_in_range = steps >= first && steps <= most &&
                             std::abs(doublings) <= kMostDoublings;
    if (!is_in_range || pays_for_full_depth(request_, options_.budget, steps)) return false;
    const auto& found = tried({steps, doublings}, here->threshold);
    const bool is_better = found && found->mse < here->mse;
    if (is_better) here = &*found;
    return is_better;
  };
  bool moved = here != nullptr;
  while (moved) {
    const int steps = here->steps, doublings = std::ilogb(here->tilt);
    moved = goes_to(steps, doublings + 1) || goes_to(steps, doublings - 1) ||
            goes_to(steps + 1, doublings) || goes_to(steps - 1, doublings);
  }
}

/// The trial with the smallest error among those that `counts` accepts, and the one with the fewest
/// steps among equal ones; null where there is none.
const PairedTrial* Search::best_trial(const std::function<bool(const PairedTrial&)>& counts) const {
  const PairedTrial* best = nullptr;
  for (const auto& [choice, trial] : trials_) {
    if (trial && counts(*trial) && (best == nullptr || trial->mse < best->mse)) best = &*trial;
  }
  return best;
}

void Search::explore(const StepRange& range) {
  reference_ = run_(request_for(range.reference, full_depth()), "full depth, to compare with")
                   .images.values;
  try_steps(range.first, range.most);
  if (!options_.one_threshold) descend(range.first, range.most);
  if (best_trial([](const PairedTrial&) { return true; }) == nullptr)
    raise({"budget", "pay for one evaluation of the solver", "is " + show(options_.budget),
           "raise it"});
}

PairedTuningResult Search::result() {
  StepRange range{.first = full_steps(request_, options_.budget)};
  range.most = steps_limit(options_.most_steps, options_.budget, range.first);
  range.reference = reference_steps(options_, range.most);
  PairedTuningResult result{.reference_steps = range.reference};
  try {
    explore(range);
  } catch (const Stopped&) {
    result.status = Status::Cancelled;
  }
  for (const auto& [choice, trial] : trials_) {
    if (trial) result.trials.push_back(*trial);
  }
  const PairedTrial* best = best_trial([](const PairedTrial&) { return true; });
  if (best == nullptr) return result;
  result.best = *best;
  result.plan = plan_of({best->steps, std::ilogb(best->tilt)}, best->threshold);
  result.plan.solver = with_steps(request_, best->steps);
  result.plan.model = model_.id;
  return result;
}

void check_options(const PairedTuningOptions& options) {
  require_range("budget", options.budget, 1.0, 10000.0);
  require_range("reference_steps", options.reference_steps, 0, 10000);
  require_range("most_steps", options.most_steps, 0, 10000);
  require_range("tolerance", options.tolerance, 0.0, 1.0);
  require_range("most_thresholds", options.most_thresholds, 1, 1000);
}

}  // namespace

PairedTuningResult search_budget(const PairedTuningOptions& options, const ModelSummary& model,
                                 const Runner& run) {
  check_options(options);
  require_no_noise(options.request.solver.value_or(model.default_solver));
  require_uncertainty(model);
  return Search(options, model, run).result();
}

}  // namespace detail

double PairedTrial::psnr_db() const { return detail::psnr_db(mse); }

}  // namespace adadiff
