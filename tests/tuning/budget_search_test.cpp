// Searches over made-up models, whose compute and error are known.
#include "tuning/budget_search.h"

#include <cmath>
#include <optional>

#include <gmock/gmock.h>

#include <adadiff/error.h>

#include "tuning/budget_plan.h"

namespace adadiff::detail {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// A trace of one sample that ran all of its evaluations.
Trace trace_of(int evaluations) {
  Trace trace;
  trace.samples = 1;
  trace.evaluations.resize(static_cast<std::size_t>(evaluations));
  for (EvaluationTrace& evaluation : trace.evaluations) evaluation.exit = {1};
  trace.compute.full_depth = 100;
  return trace;
}

/// One-pixel images that miss the truth, 0, by 1 / steps, by half the threshold, and by how far the
/// tilt is from `good_tilt`; a share of `threshold` of the compute is skipped.
struct MadeUp {
  double least_share = 0.1;
  double good_tilt = 1;
  mutable int runs = 0, full_depth_runs = 0;

  Result operator()(const Request& request, const std::string&) const {
    ++runs;
    full_depth_runs += request.plan == full_depth() ? 1 : 0;
    const int steps = request.solver->steps;
    const double first = request.plan->rules.front().below.front(),
                 last = request.plan->rules.back().below.front();
    const double threshold = std::sqrt(first * last);
    Result result;
    const bool is_reference = steps == 50;
    const double miss = first > 0 ? 0.05 * std::log2(last / first / good_tilt) : 0;
    const double error = is_reference ? 0 : std::hypot(1.0 / steps, threshold / 2, miss);
    result.images.values.assign(4, static_cast<float>(2 * error - 1));
    if (is_reference) result.images.values.assign(4, -1);
    result.trace = trace_of(steps);
    result.trace.compute.blocks = 100 * std::max(least_share, 1 - threshold);
    return result;
  }
};

ModelSummary one_pixel() {
  ModelSummary model;
  model.id = "made-up";
  model.channels = model.height = model.width = 1;
  return model;
}

PairedTuningResult search(double budget, const MadeUp& made_up = {}) {
  PairedTuningOptions options;
  options.budget = budget;
  return search_budget(options, one_pixel(), [&](const Request& request, const std::string& note) {
    return made_up(request, note);
  });
}

TEST(BudgetSearch, MeetsTheBudgetWithEveryNumberOfSteps) {
  for (const PairedTrial& trial : search(4).trials) {
    EXPECT_LE(trial.cost, 4) << trial.steps;
    EXPECT_GE(trial.cost, 4 * 0.98) << trial.steps;
  }
}

TEST(BudgetSearch, RefusesModelsThatNobodyLeavesEarly) {
  ModelSummary model = one_pixel();
  model.uncertainty = "none";
  PairedTuningOptions four;
  four.budget = 4;
  EXPECT_THAT(
      [&] {
        search_budget(four, model, [](const Request&, const std::string&) { return Result{}; });
      },
      ThrowsMessage<InvalidArgument>(HasSubstr("must have uncertainty modules, by which samples "
                                               "leave early, but has none; train them")));
}

TEST(BudgetSearch, TakesThePairWithTheSmallestError) {
  // At budget 4, n steps skip 1 - 4 / n, so the squared error is 1 / n^2 + (1 - 4 / n)^2 / 4: least
  // at 5 steps.
  const PairedTuningResult found = search(4);
  EXPECT_EQ(found.best.steps, 5);
  EXPECT_NEAR(found.best.threshold, 0.2, 0.02);
}

TEST(BudgetSearch, FindsATiltThatHelps) {
  EXPECT_EQ(search(4, {.good_tilt = 4}).best.tilt, 4);
  EXPECT_EQ(search(4, {.good_tilt = 0.5}).best.tilt, 0.5);
}

TEST(BudgetSearch, WritesATiltAsThresholdsThatRise) {
  const Plan plan = search(4, {.good_tilt = 4}).plan;
  ASSERT_EQ(std::ssize(plan.rules), plan.solver->steps);
  EXPECT_EQ(plan.key, RuleKey::Evaluation);
  EXPECT_NEAR(plan.rules.back().below.front() / plan.rules.front().below.front(), 4, 0.01);
  EXPECT_EQ(plan, parse_plan(to_json(plan)));
}

/// Images that are best at tilt 4 and, there, with two steps more than at tilt 1, under a threshold
/// that is several times as high.
Result coupled(const Request& request) {
  const int steps = request.solver->steps;
  const double first = request.plan->rules.front().below.front(),
               last = request.plan->rules.back().below.front();
  const double doublings = first > 0 ? std::log2(last / first) : 0;
  const double error = steps == 50 ? 0
                                   : std::hypot(0.05 * (doublings - 2),
                                                0.02 * (steps - 5 - doublings), 0.01);
  Result result;
  result.images.values.assign(4, static_cast<float>(2 * error - 1));
  result.trace = trace_of(steps);
  result.trace.compute.blocks = 100 *
                                std::max(0.05, 1 - 8 / (3 + doublings) * std::sqrt(first * last));
  return result;
}

TEST(BudgetSearch, MeetsTheBudgetAnewAtOtherTiltsAndSteps) {
  PairedTuningOptions options;
  options.budget = 4;
  const auto found = search_budget(
      options, one_pixel(),
      [](const Request& request, const std::string&) { return coupled(request); });
  EXPECT_EQ(found.best.tilt, 4);
  EXPECT_EQ(found.best.steps, 7);
  EXPECT_LE(found.best.cost, 4);
  EXPECT_GE(found.best.cost, 4 * 0.98);
}

TEST(BudgetSearch, TiltsEvenWhereFullDepthIsAheadOfOneThreshold) {
  const PairedTuningResult found = search(4, {.good_tilt = 16});
  for (const PairedTrial& trial : found.trials) {
    if (trial.tilt != 1 || trial.steps <= 4) continue;
    EXPECT_GT(trial.mse, found.trials.front().mse) << trial.steps;
  }
  EXPECT_EQ(found.trials.front().threshold, 0);
  EXPECT_EQ(found.best.steps, 5);
  EXPECT_EQ(found.best.tilt, 4);
}

TEST(BudgetSearch, TiltsByFourAtMost) {
  EXPECT_EQ(search(4, {.good_tilt = 8}).best.tilt, 4);
  EXPECT_EQ(search(4, {.good_tilt = 0.125}).best.tilt, 0.25);
}

TEST(BudgetSearch, KeepsOneThresholdWhereAskedTo) {
  PairedTuningOptions options;
  options.budget = 4;
  options.one_threshold = true;
  const MadeUp made_up{.good_tilt = 4};
  const auto found = search_budget(
      options, one_pixel(),
      [&](const Request& r, const std::string& note) { return made_up(r, note); });
  EXPECT_EQ(found.plan.rules.size(), 1u);
  for (const PairedTrial& trial : found.trials) EXPECT_EQ(trial.tilt, 1);
}

TEST(BudgetSearch, ListsEachTrialOnceByStepsAndTilt) {
  const auto trials = search(4, {.good_tilt = 4}).trials;
  for (std::size_t i = 1; i < trials.size(); ++i) {
    EXPECT_LT(std::pair(trials[i - 1].steps, trials[i - 1].tilt),
              std::pair(trials[i].steps, trials[i].tilt));
  }
}

TEST(TiltedPlan, RefusesEndsBeyondOne) {
  EXPECT_THAT([] { tilted_plan(0.9F, 4, 5); },
              ThrowsMessage<InvalidArgument>(HasSubstr("must be in")));
  EXPECT_THAT([] { tilted_plan(NAN, 4, 5); },
              ThrowsMessage<InvalidArgument>(HasSubstr("must be in")));
}

TEST(TiltedPlan, IsOneThresholdWithoutATiltOrWithOneEvaluation) {
  EXPECT_EQ(tilted_plan(0.1F, 1, 5), exit_below(0.1F));
  EXPECT_EQ(tilted_plan(0.1F, 4, 1), exit_below(0.1F));
}

TEST(BudgetSearch, WritesThePairAsAPlanForThisModel) {
  const Plan plan = search(4).plan;
  EXPECT_EQ(plan.solver->steps, 5);
  EXPECT_EQ(plan.model, "made-up");
  EXPECT_EQ(plan, parse_plan(to_json(plan)));
}

TEST(BudgetSearch, KeepsFullDepthWhereItFitsTheBudget) {
  const PairedTuningResult found = search(2);
  EXPECT_EQ(found.trials.front().steps, 2);
  EXPECT_EQ(found.trials.front().threshold, 0);
}

TEST(BudgetSearch, BeginsWithTheStepsThatFullDepthCanPayFor) {
  PairedTuningOptions options;
  options.budget = 6;
  options.request.solver = SolverSettings{.solver = "heun"};  // 2 n - 1 evaluations
  const PairedTuningResult found = search_budget(options, one_pixel(), MadeUp{});
  EXPECT_EQ(found.trials.front().steps, 3);
}

TEST(BudgetSearch, RefusesSolversWhoseRunsCannotBeCompared) {
  const auto with = [](const SolverSettings& solver) {
    PairedTuningOptions options;
    options.budget = 4;
    options.request.solver = solver;
    return [options] { search_budget(options, one_pixel(), MadeUp{}); };
  };
  EXPECT_THAT(with({.solver = "ddpm"}),
              ThrowsMessage<InvalidArgument>(HasSubstr("solver: must be one that draws no noise")));
  EXPECT_THAT(with({.solver = "ddim", .eta = 1}),
              ThrowsMessage<InvalidArgument>(HasSubstr("draws no noise")));
}

TEST(BudgetSearch, RefusesALimitBelowWhatTheBudgetPaysFor) {
  PairedTuningOptions options;
  options.budget = 6;
  options.most_steps = 4;
  EXPECT_THAT(
      [&] { search_budget(options, one_pixel(), MadeUp{}); },
      ThrowsMessage<InvalidArgument>(HasSubstr(
          "most_steps: must be at least the 6 full steps that the budget pays for, but is 4")));
}

TEST(BudgetSearch, ComparesWithMoreStepsThanItTries) {
  EXPECT_EQ(search(4).reference_steps, 50);
  EXPECT_EQ(search(20).reference_steps, 120);  // it tries up to 60
}

TEST(BudgetSearch, RefusesAReferenceNoFinerThanWhatItTries) {
  PairedTuningOptions options;
  options.budget = 3;
  options.reference_steps = options.most_steps = 5;
  EXPECT_THAT(
      [&] { search_budget(options, one_pixel(), MadeUp{}); },
      ThrowsMessage<InvalidArgument>(HasSubstr(
          "reference_steps: must be more than the 5 steps that are tried at most, but is 5")));
}

TEST(BudgetSearch, DrawsNoFullDepthThatItCannotPayFor) {
  const MadeUp made_up;
  search(4, made_up);
  EXPECT_EQ(made_up.full_depth_runs, 2);  // the reference and 4 steps
}

TEST(BudgetSearch, EndsWhereEvenTheLeastComputeIsTooMuch) {
  const PairedTuningResult found = search(4, {.least_share = 0.7});
  EXPECT_LE(found.trials.back().steps, 5);  // 6 * 0.7 > 4
}

TEST(BudgetSearch, EndsSoonAfterMoreStepsAreWorse) {
  const MadeUp made_up;
  search(4, made_up);
  EXPECT_LT(made_up.runs, 50);
}

/// What is found where the search is stopped before run number `last` ends, counted from 0.
PairedTuningResult stopped_at(int last) {
  const MadeUp made_up;
  PairedTuningOptions options;
  options.budget = 4;
  return search_budget(options, one_pixel(), [&](const Request& request, const std::string& note) {
    if (made_up.runs == last) throw Stopped{};
    return made_up(request, note);
  });
}

TEST(BudgetSearch, KeepsWhatItFoundWhenItIsStopped) {
  const PairedTuningResult found = stopped_at(10);
  EXPECT_EQ(found.status, Status::Cancelled);
  ASSERT_FALSE(found.trials.empty());
  for (const PairedTrial& trial : found.trials) EXPECT_GE(trial.mse, found.best.mse);
  EXPECT_EQ(found.plan.solver->steps, found.best.steps);
  EXPECT_EQ(found.plan.model, "made-up");
}

TEST(BudgetSearch, FindsNothingWhenItIsStoppedBeforeItsFirstTrial) {
  const PairedTuningResult found = stopped_at(1);  // run 0 is the reference
  EXPECT_EQ(found.status, Status::Cancelled);
  EXPECT_TRUE(found.trials.empty());
}

/// The request of the first run of a search for a model of 3 classes that uses dpmpp-2m.
Request first_request(const PairedTuningOptions& options) {
  ModelSummary model = one_pixel();
  model.classes = 3;
  model.default_solver.solver = "dpmpp-2m";
  std::optional<Request> first;
  search_budget(options, model, [&](const Request& request, const std::string& note) {
    if (!first) first = request;
    return MadeUp{}(request, note);
  });
  return *first;
}

TEST(BudgetSearch, DrawsAllClassesByTheModelsSolverUnlessTold) {
  const Request drawn = first_request({.budget = 4});
  EXPECT_EQ(drawn.count, 128);
  EXPECT_EQ(drawn.labels, (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(drawn.solver->solver, "dpmpp-2m");
}

TEST(BudgetSearch, DrawsWhatItIsTold) {
  const Request drawn = first_request(
      {.budget = 4,
       .samples = 7,
       .request = {.seed = 5, .labels = {2}, .solver = SolverSettings{.solver = "heun"}}});
  EXPECT_EQ(drawn.count, 7);
  EXPECT_EQ(drawn.seed, 5u);
  EXPECT_EQ(drawn.labels, std::vector<std::int64_t>{2});
  EXPECT_EQ(drawn.solver->solver, "heun");
}

TEST(PairedTrial, ShowsItsErrorInDecibels) {
  EXPECT_NEAR((PairedTrial{.mse = 0.01}).psnr_db(), 20, 1e-12);
  EXPECT_TRUE(std::isnan(PairedTrial{}.psnr_db()));
}

TEST(BudgetSearch, RefusesBudgetsThatPayForNothing) {
  EXPECT_THAT([] { search(0.5); }, ThrowsMessage<InvalidArgument>(
                                       HasSubstr("budget: must be in [1, 10000], but is 0.5")));
}

}  // namespace
}  // namespace adadiff::detail
