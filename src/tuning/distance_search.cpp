// Descends over steps, tilt, guide and weight. For each choice, the threshold is first fitted to
// the budget on a few samples.
#include "tuning/distance_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/check.h"
#include "metrics/grouped_distance.h"
#include "tuning/budget_plan.h"
#include "tuning/solver_costs.h"

namespace adadiff {
namespace detail {
namespace {

constexpr int kMostDoublings = 2;  // doublings of the tilt, as in the search by paired error
constexpr int kNoGuideNotch = -4, kMostNotch = 4;
constexpr double kSlack = 1.003;     // full depth with a guide costs one head more than full depth
constexpr double kFitBelow = 0.995;  // share of the budget that fits aim at: the cost on few
                                     // samples misses the cost of all by about half a percent

/// What a trial is about. The tilt is 2^doublings, weights follow from notches, and the guide is an
/// exit, or 0 where there is none.
struct Choice {
  int steps = 0, doublings = 0, guide = 0, notch = 0;
  bool operator<(const Choice& other) const {
    return std::tie(steps, doublings, guide, notch) <
           std::tie(other.steps, other.doublings, other.guide, other.notch);
  }
  double tilt() const { return std::exp2(doublings); }
  /// The weight of the guide. What a guide adds grows by half from notch to notch, so that the
  /// weights are 1 (no guide), 1.24, 1.36, 1.53, 1.8, 2.2, 2.8, 3.7 and 5.05.
  double weight() const {
    return has_guide() ? std::round(100 + 80 * std::pow(1.5, notch)) / 100 : 1;
  }
  bool has_guide() const { return notch > kNoGuideNotch; }
};

class Search {
 public:
  Search(const DistanceTuningOptions& options, const ModelSummary& model, const Runner& run,
         const ImageMeasure& measure)
      : options_(options),
        request_(search_request(options.request, options.samples, model)),
        model_(model),
        run_(run),
        measure_(measure) {}

  DistanceTuningResult result();

 private:
  Plan plan_of(const Choice& choice, float threshold) const;
  Request request_for(const Choice& choice, float threshold) const;
  std::string note(const Choice& choice, const std::string& what) const;
  double cost(const Choice& choice, float threshold);
  std::optional<float> fit_threshold(const Choice& choice);
  std::optional<DistanceTrial> fit_and_draw(const Choice& choice);
  DistanceTrial draw(const Choice& choice, float threshold);
  const DistanceTrial* tried(const Choice& choice);
  bool is_allowed(const Choice& choice) const;
  bool can_guide(int exit) const {
    return exit > 0 &&
           std::find(model_.exits.begin(), model_.exits.end(), exit) != model_.exits.end();
  }
  int first_guide() const;
  bool is_better(const DistanceTrial& trial, const DistanceTrial& than) const;
  bool is_admissible(const DistanceTrial& trial) const;
  bool goes_on();
  void start();
  void explore();
  std::size_t choose() const;
  void describe_best(DistanceTuningResult& result) const;

  const DistanceTuningOptions& options_;
  const Request request_;
  const ModelSummary& model_;
  const Runner& run_;
  const ImageMeasure& measure_;
  int first_steps_ = 1, most_steps_ = 1;
  double floor_ = 0;
  float last_threshold_ = 0.05F;  ///< the last threshold that met the budget, which is a good guess
                                  ///< for the next choice
  double fit_bias_ = 1;           ///< cost of all samples divided by that of the first few samples
  std::vector<DistanceTrial> trials_;
  /// Places in trials_; no value where no threshold meets the budget.
  std::map<Choice, std::optional<std::size_t>> known_;
  Choice here_;
};

Plan Search::plan_of(const Choice& choice, float threshold) const {
  const auto evaluations = static_cast<int>(evaluation_count(with_steps(request_, choice.steps)));
  Plan plan = tilted_plan(threshold, choice.tilt(), evaluations);
  if (!choice.has_guide()) return plan;
  return guided(plan, {.exit = choice.guide, .weight = choice.weight()});
}

Request Search::request_for(const Choice& choice, float threshold) const {
  Request request = request_;
  request.solver = with_steps(request_, choice.steps);
  request.plan = plan_of(choice, threshold);
  return request;
}

std::string Search::note(const Choice& choice, const std::string& what) const {
  std::ostringstream text;
  text << choice.steps << " steps";
  if (choice.doublings != 0) text << ", tilt " << choice.tilt();
  if (choice.has_guide())
    text << ", guided by exit " << choice.guide << ", weight " << choice.weight();
  text << ", " << what;
  return text.str();
}

double Search::cost(const Choice& choice, float threshold) {
  const Request request = first_samples(request_for(choice, threshold), options_.cost_samples,
                                        model_);
  return fit_bias_ * run_(request, note(choice, "fitting the threshold")).trace.full_evaluations();
}

/// 0 (full depth) where the budget pays for it, else the threshold that meets the budget; none
/// where even the highest threshold costs more.
std::optional<float> Search::fit_threshold(const Choice& choice) {
  if (pays_for_full_depth(request_, options_.budget, choice.steps)) return 0.0F;
  constexpr int kMostFits = 12;
  double stride = 1.3;  // grows while only one bound is known
  const float highest = rounded_threshold(static_cast<double>(largest_threshold(choice.tilt())));
  // `low` costs too much and `high` little enough; 0 means not known.
  float low = 0, high = 0, threshold = std::min(last_threshold_, highest);
  for (int fit = 0; fit < kMostFits; ++fit) {
    const double found = cost(choice, threshold);
    if (found > options_.budget * kFitBelow) {
      if (threshold >= highest)
        return found > options_.budget ? std::nullopt : std::optional(threshold);
      low = threshold;
    } else {
      high = threshold;
      if (found >= options_.budget * (1 - options_.tolerance)) break;
    }
    stride *= stride;
    const auto least = static_cast<double>(low), most = static_cast<double>(high);
    const double next = high == 0  ? stride * least
                        : low == 0 ? most / stride
                                   : std::sqrt(least * most);
    threshold = std::min(highest, rounded_threshold(next));
  }
  if (high == 0) return std::nullopt;
  last_threshold_ = high;
  return high;
}

/// What the caller's measure says, which the search has to rely on.
ImageQuality checked(const ImageQuality& found) {
  if (!std::isfinite(found.distance))
    raise({"ImageQuality.distance", "be finite", "is " + show(found.distance)});
  const std::int64_t groups = std::ssize(found.distance_without);
  if (groups > 0 && groups < kFewestGroups) {
    raise({"ImageQuality.distance_without",
           "be empty or have at least " + show(kFewestGroups) + " entries", "has " + show(groups)});
  }
  require_range("ImageQuality.recall", found.recall, 0.0, 1.0);
  return found;
}

DistanceTrial Search::draw(const Choice& choice, float threshold) {
  const Result result = run_(request_for(choice, threshold), note(choice, "images"));
  return {.steps = choice.steps,
          .threshold = threshold,
          .tilt = choice.tilt(),
          .guide = choice.guide,
          .weight = choice.weight(),
          .cost = result.trace.full_evaluations(),
          .found = checked(measure_(result.images))};
}

/// Fits the threshold and draws the images. Fits once more where all samples cost more than the few
/// with which the threshold was fitted.
std::optional<DistanceTrial> Search::fit_and_draw(const Choice& choice) {
  constexpr int kMostDraws = 2;
  std::optional<DistanceTrial> trial;
  for (int attempt = 0; attempt < kMostDraws; ++attempt) {
    const std::optional<float> threshold = fit_threshold(choice);
    if (!threshold) return trial;
    trial = draw(choice, *threshold);
    if (trial->threshold == 0 || trial->cost <= options_.budget * kSlack) return trial;
    fit_bias_ *= trial->cost / (kFitBelow * options_.budget);
  }
  return trial;
}

bool Search::is_allowed(const Choice& choice) const {
  return choice.steps >= first_steps_ && choice.steps <= most_steps_ &&
         std::abs(choice.doublings) <= kMostDoublings && choice.notch >= kNoGuideNotch &&
         choice.notch <= (options_.guides ? kMostNotch : kNoGuideNotch) &&
         (choice.has_guide() ? can_guide(choice.guide) : choice.guide == 0) &&
         (choice.doublings == 0 || !pays_for_full_depth(request_, options_.budget, choice.steps));
}

/// The trial of this choice, which is measured at most once; null where the choice cannot be tried.
const DistanceTrial* Search::tried(const Choice& choice) {
  if (!is_allowed(choice)) return nullptr;
  const auto known = known_.find(choice);
  if (known != known_.end()) return known->second ? &trials_[*known->second] : nullptr;
  if (std::ssize(trials_) >= options_.most_trials) return nullptr;
  const std::optional<DistanceTrial> trial = fit_and_draw(choice);
  if (!trial) {
    known_[choice] = std::nullopt;
    return nullptr;
  }
  trials_.push_back(*trial);
  known_[choice] = trials_.size() - 1;
  return &trials_.back();
}

bool Search::is_admissible(const DistanceTrial& trial) const {
  return trial.cost <= options_.budget * kSlack && trial.found.recall >= floor_;
}

/// Admissible trials come before the others. Among admissible trials the smaller distance is
/// better. Among the others the one that covers more is better, so that the search finds its way
/// back.
bool Search::is_better(const DistanceTrial& trial, const DistanceTrial& than) const {
  if (is_admissible(trial) != is_admissible(than)) return is_admissible(trial);
  return is_admissible(trial) ? trial.found.distance < than.found.distance
                              : trial.found.recall > than.found.recall;
}

/// Makes one round over all coordinates and moves along each as far as that helps; false where none
/// helped.
bool Search::goes_on() {
  constexpr std::array<int Choice::*, 4> kCoordinates{&Choice::notch, &Choice::steps,
                                                      &Choice::guide, &Choice::doublings};
  bool moved = false;
  for (const auto coordinate : kCoordinates) {
    for (const int direction : {1, -1}) {
      bool helps = true, helped = false;
      while (helps) {
        Choice next = here_;
        next.*coordinate += direction;
        if (!next.has_guide()) next.guide = 0;
        if (next.has_guide() && next.guide == 0) next.guide = first_guide();
        const DistanceTrial* found = tried(next);
        // tried() may move the elements of trials_, so the current trial is looked up only now.
        helps = found != nullptr && is_better(*found, trials_[*known_[here_]]);
        if (helps) here_ = next;
        helped = helped || helps;
      }
      moved = moved || helped;
      if (helped) break;  // the other direction leads back
    }
  }
  return moved;
}

/// The standard error of the difference of two distances; 0 where they count as exact.
double standard_error(const ImageQuality& first, const ImageQuality& second) {
  if (first.distance_without.empty() && second.distance_without.empty()) return 0;
  return difference_half_width(first, second) /
         student_t(static_cast<int>(first.distance_without.size()) - 1);
}

/// The place in trials_ of DistanceTuningResult::best; the first trial is plain full depth.
std::size_t Search::choose() const {
  const auto least = std::min_element(
      trials_.begin(), trials_.end(),
      [&](const auto& a, const auto& b) { return is_better(a, b); });
  if (!is_admissible(*least)) return 0;
  auto chosen = least;
  for (auto trial = trials_.begin(); trial != trials_.end(); ++trial) {
    const ImageQuality &theirs = trial->found, &smallest = least->found;
    const bool is_as_good = is_admissible(*trial) &&
                            theirs.distance - smallest.distance <= standard_error(theirs, smallest);
    if (is_as_good && trial->found.recall > chosen->found.recall) chosen = trial;
  }
  return static_cast<std::size_t>(chosen - trials_.begin());
}

/// The exit that is nearest to a third of the network's depth; 0 where there is none.
int Search::first_guide() const {
  int nearest = 0;
  for (const int exit : model_.exits) {
    const auto distance = [&](int k) { return std::abs(3 * k - model_.blocks); };
    if (exit > 0 && (nearest == 0 || distance(exit) < distance(nearest))) nearest = exit;
  }
  return nearest;
}

/// Starts at about half the depth, with a guide at a third of the depth.
void Search::start() {
  constexpr double kMoreSteps = 1.8;  // how many times more steps than full depth can make within
                                      // the budget
  const int guide = options_.guides ? first_guide() : 0;
  const int notch = guide > 0 ? 0 : kNoGuideNotch;
  const int first = std::min(most_steps_, static_cast<int>(std::round(kMoreSteps * first_steps_)));
  for (int steps = first; steps >= first_steps_; --steps) {
    here_ = {steps, 0, guide, notch};
    if (tried(here_) != nullptr) return;
  }
  here_ = {first_steps_, 0, 0, kNoGuideNotch};  // plain full depth, which has been tried
}

void Search::explore() {
  here_ = {first_steps_, 0, 0, kNoGuideNotch};
  const DistanceTrial* plain = tried(here_);
  if (plain == nullptr)
    raise({"budget", "pay for one evaluation of the solver", "is " + show(options_.budget),
           "raise it"});
  floor_ = options_.recall_floor.value_or(plain->found.recall);
  start();
  while (goes_on()) {
  }
}

void Search::describe_best(DistanceTuningResult& result) const {
  const std::size_t best = choose();
  result.full_depth = trials_.front();
  result.recall_floor = floor_;
  result.best = trials_[best];
  result.keeps_floor = result.best.found.recall >= floor_;
  result.gain_half_width = difference_half_width(result.full_depth.found, result.best.found);
  for (const auto& [choice, place] : known_) {
    if (place == best) result.plan = plan_of(choice, result.best.threshold);
  }
  result.plan.solver = with_steps(request_, result.best.steps);
  result.plan.model = model_.id;
}

DistanceTuningResult Search::result() {
  first_steps_ = full_steps(request_, options_.budget);
  most_steps_ = steps_limit(options_.most_steps, options_.budget, first_steps_);
  DistanceTuningResult result;
  try {
    explore();
  } catch (const Stopped&) {
    result.status = Status::Cancelled;
  }
  if (!trials_.empty()) describe_best(result);
  result.trials = std::move(trials_);
  return result;
}

void check_options(const DistanceTuningOptions& options) {
  require_range("budget", options.budget, 1.0, 10000.0);
  require_range("most_steps", options.most_steps, 0, 10000);
  require_range("most_trials", options.most_trials, 2, 10000);
  if (options.recall_floor) require_range("recall_floor", *options.recall_floor, 0.0, 1.0);
  require_range("cost_samples", options.cost_samples, std::int64_t{1}, std::int64_t{1'000'000});
  require_range("tolerance", options.tolerance, 0.0, 1.0);
}

/// Half the width of the interval around a distance whose values without each group are these.
double half_width_of(std::vector<double> without) {
  if (without.empty()) return std::numeric_limits<double>::quiet_NaN();
  return half_width(GroupedDistance{.without = std::move(without)});
}

}  // namespace

double difference_half_width(const ImageQuality& first, const ImageQuality& second) {
  const std::vector<double>&ours = first.distance_without, &theirs = second.distance_without;
  if (ours.size() != theirs.size()) {
    raise({"ImageQuality.distance_without", "have as many entries for every set of images",
           "has " + show(std::ssize(ours)) + " and " + show(std::ssize(theirs))});
  }
  std::vector<double> differences;
  for (std::size_t g = 0; g < ours.size(); ++g) differences.push_back(ours[g] - theirs[g]);
  return half_width_of(std::move(differences));
}

DistanceTuningResult search_distance(const DistanceTuningOptions& options,
                                     const ModelSummary& model, const Runner& run,
                                     const ImageMeasure& measure) {
  check_options(options);
  require_uncertainty(model);
  return Search(options, model, run, measure).result();
}

}  // namespace detail

double ImageQuality::half_width() const { return detail::half_width_of(distance_without); }

}  // namespace adadiff
