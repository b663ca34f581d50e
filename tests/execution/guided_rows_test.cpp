// Guided rows: the prediction that is taken, the heads that run for it, and who is not guided.
#include <gtest/gtest.h>

#include "execution/execution_fixture.h"

namespace adadiff::test {
namespace {

using Exits = std::vector<int>;

Exits guides_of(const Executed& executed) {
  Exits guides;
  for (const detail::RowOutcome& outcome : executed.outcomes) guides.push_back(outcome.guide);
  return guides;
}

/// What the formula says of predictions of every exit, row by row.
at::Tensor by_hand(const std::vector<at::Tensor>& everything, const Executed& executed,
                   double weight) {
  at::Tensor wanted = pick(everything, executed.exits());
  for (std::size_t i = 0; i < executed.outcomes.size(); ++i) {
    if (executed.outcomes[i].guide < 0) continue;
    const auto row = static_cast<std::int64_t>(i);
    const at::Tensor guide = everything.at(
        static_cast<std::size_t>(executed.outcomes[i].guide))[row];
    wanted[row] += (weight - 1) * (wanted[row] - guide);
  }
  return wanted;
}

/// Rounding of float32 over values near 1, multiplied by weights of up to 3.
constexpr double kTolerance = 1e-6;

void expect_guided_by_hand(const PyramidNetwork& network, const Plan& plan, double weight,
                           int branches = 1, int evaluations = 1) {
  const detail::ExecutablePlan compiled = executable(plan, network, evaluations);
  const Rows rows = make_rows(network, 12, branches, compiled);
  const Executed executed = execute(network, compiled, rows);
  EXPECT_LE(relative_error(executed.out,
                           by_hand(run_everything(network, compiled, rows), executed, weight)),
            kTolerance);
  EXPECT_NE(guides_of(executed), Exits(executed.outcomes.size(), -1)) << "somebody is guided";
}

TEST(Guide, MovesThePredictionAwayFromTheExitThatGuides) {
  expect_guided_by_hand(PyramidNetwork(), guided(full_depth(), {.exit = 2, .weight = 2.5}), 2.5);
  expect_guided_by_hand(PyramidNetwork(), guided(exit_below(0.3f), {.exit = 2, .weight = 2.5}),
                        2.5);
}

TEST(Guide, MayBeTheAnalyticExit) {
  const PyramidNetwork network;
  expect_guided_by_hand(network, guided(exit_below(0.3f), {.exit = 0, .weight = 1.5}), 1.5);
  const detail::ExecutablePlan plan = executable(guided(full_depth(), {.exit = 0, .weight = 1.5}),
                                                 network);
  const Executed executed = execute(network, plan, make_rows(network, 3, 1, plan));
  EXPECT_EQ(executed.counts.heads, (std::vector<std::int64_t>{0, 0, 0, 0, 0, 3}))
      << "exit 0 needs no head";
}

TEST(Guide, FollowsTheExitOfEachRow) {
  for (const int before : {1, 2, 3}) {
    expect_guided_by_hand(PyramidNetwork(),
                          guided(exit_below(0.3f), {.before = before, .weight = 3}), 3);
  }
}

TEST(Guide, FallsBackAsThePlanSays) {
  expect_guided_by_hand(
      PyramidNetwork(),
      guided(exit_below(0.3f), {.exit = 4, .weight = 2, .fallback = GuideFallback::ExitBefore}), 2);
  PyramidOptions options;
  options.score = [](const ScoreQuestion& question) { return question.exit >= 2 ? 0.1f : 0.9f; };
  const PyramidNetwork network(options);
  const auto guides = [&network](GuideFallback fallback) {
    const auto plan = executable(
        guided(exit_below(0.5f), {.exit = 3, .weight = 2, .fallback = fallback}), network);
    return guides_of(execute(network, plan, make_rows(network, 1, 1, plan)));
  };
  EXPECT_EQ(guides(GuideFallback::None), Exits{-1});
  EXPECT_EQ(guides(GuideFallback::ExitBefore), Exits{1});
}

TEST(Guide, WeightOneChangesNoBitAndRunsNoHead) {
  const PyramidNetwork network;
  const detail::ExecutablePlan plain = executable(exit_below(0.3f), network);
  const detail::ExecutablePlan one = executable(
      guided(exit_below(0.3f), {.before = 1, .weight = 1}), network);
  const Rows rows = make_rows(network, 8, 1, plain);
  const Executed without = execute(network, plain, rows), with = execute(network, one, rows);
  EXPECT_TRUE(at::equal(with.out, without.out));
  EXPECT_EQ(with.counts.heads, without.counts.heads);
}

TEST(Guide, RunsHeadsOnlyForRowsThatMayNeedThem) {
  PyramidOptions options;
  options.classes = 3;
  options.score = [](const ScoreQuestion& question) {
    return question.exit >= 2 * static_cast<int>(question.label) + 2 ? 0.1f : 0.9f;
  };
  const PyramidNetwork network(options);  // the rows leave at exits 2, 4 and the end
  const detail::ExecutablePlan plan = executable(guided(exit_below(0.5f), {.exit = 3, .weight = 2}),
                                                 network);
  const Executed executed = execute(network, plan, make_rows(network, 3, 1, plan));
  EXPECT_EQ(executed.exits(), (Exits{2, 4, 6}));
  EXPECT_EQ(guides_of(executed), (Exits{-1, 3, 3}));
  EXPECT_EQ(executed.counts.heads, (std::vector<std::int64_t>{0, 1, 2, 1, 0, 1}))
      << "the row that left at 2 is not predicted at 3";
}

TEST(Guide, HoldsForRowsOfDifferentEvaluations) {
  Plan plan = exit_below(0.3f);
  plan.rules = {{.until = 0.6, .below = {0.3f}, .guide = {.before = 2, .weight = 2}},
                {.until = 0.3, .below = {0.3f}},
                {.below = {0.3f}, .guide = {.exit = 1, .weight = 2}}};
  expect_guided_by_hand(PyramidNetwork(), plan, 2, 1, 6);
}

TEST(Guide, WeighsEachRowByItsOwnRule) {
  const PyramidNetwork network;
  Plan plan;
  plan.rules = {{.until = 0.5, .guide = {.exit = 2, .weight = 2}},
                {.guide = {.exit = 2, .weight = 3}}};
  const detail::ExecutablePlan compiled = executable(plan, network, 2);
  const Rows rows = make_rows(network, 2, 1, compiled);
  const auto everything = run_everything(network, compiled, rows);
  const Executed executed = execute(network, compiled, rows);
  for (const std::int64_t row : {0, 1}) {
    const at::Tensor wanted = everything[6][row] +
                              (row == 0 ? 1 : 2) * (everything[6][row] - everything[2][row]);
    EXPECT_LE(relative_error(executed.out[row], wanted), kTolerance) << row;
  }
}

TEST(Guide, IsEachBranchsOwn) {
  PyramidOptions options;
  options.classes = 3;
  options.null_label = 2;
  Plan plan = guided(exit_below(0.3f), {.before = 1, .weight = 2});
  plan.branches = Branches::Independent;
  expect_guided_by_hand(PyramidNetwork(options), plan, 2, 2);
}

TEST(Guide, HoldsWhereTheBatchDecides) {
  Plan plan = guided(exit_below(0.5f), {.before = 1, .weight = 2});
  plan.scope = Scope::Batch;
  expect_guided_by_hand(PyramidNetwork(), plan, 2);
}

TEST(Guide, KeepsNoNumbersOfTheEvaluationBefore) {
  const PyramidNetwork network;
  const detail::ExecutablePlan plan = executable(
      guided(exit_below(0.3f), {.before = 1, .weight = 2}), network);
  const auto policy = detail::threshold_policy(plan);
  const Rows first = make_rows(network, 6, 1, plan), second = make_rows(network, 6, 1, plan, 1);
  detail::HostExecution execution(network, 6);
  at::Tensor out = at::zeros_like(first.x);
  const auto run = [&](const Rows& rows) {
    const OneGroup group(rows, plan, *policy, out);
    execution.begin(group.request);
    while (execution.advance()) {
    }
  };
  run(first);
  run(second);
  EXPECT_TRUE(at::equal(out, execute(network, plan, second).out));
}

}  // namespace
}  // namespace adadiff::test
