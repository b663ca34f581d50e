// Each knob of a plan, shown to change which blocks run.
#include <cmath>

#include <gtest/gtest.h>

#include "execution/execution_fixture.h"

namespace adadiff::test {
namespace {

using Exits = std::vector<int>;

/// Scores by exit 1..5, for every row.
PyramidOptions scripted(std::vector<float> by_exit) {
  PyramidOptions options;
  options.score = [by_exit = std::move(by_exit)](const ScoreQuestion& question) {
    return by_exit.at(static_cast<std::size_t>(question.exit - 1));
  };
  return options;
}

/// Conditional rows score `conditional`, the others `unconditional`, at every exit. For one or two
/// samples.
PyramidOptions scripted_pair(float conditional, float unconditional) {
  PyramidOptions options;
  options.classes = 3;
  options.null_label = 2;
  options.score = [=](const ScoreQuestion& question) {
    return question.label == 2 ? unconditional : conditional;
  };
  return options;
}

/// Row i of a batch scores scores[i], at every exit.
PyramidOptions scripted_rows(std::vector<float> scores) {
  PyramidOptions options;
  options.classes = static_cast<std::int64_t>(scores.size());
  options.score = [scores = std::move(scores)](const ScoreQuestion& question) {
    return scores.at(static_cast<std::size_t>(question.label));
  };
  return options;
}

Exits exits_of(const PyramidNetwork& network, const Plan& plan, std::int64_t samples = 1,
               int branches = 1, int evaluations = 1) {
  const detail::ExecutablePlan compiled = executable(plan, network, evaluations);
  return execute(network, compiled, make_rows(network, samples, branches, compiled)).exits();
}

TEST(Below, LeavesAtTheFirstExitUnderTheThreshold) {
  const PyramidNetwork network(scripted({.5f, .4f, .3f, .2f, .1f}));
  EXPECT_EQ(exits_of(network, exit_below(0.35f)), Exits{3});
  EXPECT_EQ(exits_of(network, exit_below(0.15f)), Exits{5});
  EXPECT_EQ(exits_of(network, exit_below(0.05f)), Exits{6});
}

TEST(Below, AnEqualUncertaintyStays) {
  const PyramidNetwork network(scripted({.5f, .25f, .25f, .2f, .1f}));
  EXPECT_EQ(exits_of(network, exit_below(0.25f)), Exits{4});
}

TEST(Below, ZeroAndNaNNeverLeave) {
  const PyramidNetwork zeros(scripted({0, 0, 0, 0, 0}));
  EXPECT_EQ(exits_of(zeros, exit_below(0)), Exits{6});
  const PyramidNetwork unsure(scripted({NAN, NAN, NAN, NAN, NAN}));
  EXPECT_EQ(exits_of(unsure, exit_below(1)), Exits{6});
}

TEST(Below, HoldsPerExit) {
  const PyramidNetwork network(scripted({.1f, .1f, .1f, .1f, .1f}));
  Plan plan;
  plan.rules[0].below = {kNever, kNever, kNever, .05f, .2f, kNever};
  EXPECT_EQ(exits_of(network, plan), Exits{4});
  EXPECT_EQ(network.ran().scores[0], 0);
  EXPECT_EQ(network.ran().scores[2], 1);
}

TEST(Hits, WaitForAgreement) {
  const PyramidNetwork network(scripted({.1f, .9f, .1f, .1f, .1f}));
  EXPECT_EQ(exits_of(network, exit_when_agreed(0.5f, 1)), Exits{1});
  EXPECT_EQ(exits_of(network, exit_when_agreed(0.5f, 2)), Exits{4});
  EXPECT_EQ(exits_of(network, exit_when_agreed(0.5f, 3)), Exits{5});
}

TEST(Counting, CumulativeRemembersHitsBeforeAMiss) {
  const PyramidNetwork network(scripted({.1f, .9f, .1f, .1f, .1f}));
  EXPECT_EQ(exits_of(network, exit_when_agreed(0.5f, 2, Counting::Cumulative)), Exits{3});
}

TEST(Scope, SamplesLeaveEachForItself) {
  const PyramidNetwork network(scripted_rows({.1f, .9f, .1f}));
  EXPECT_EQ(exits_of(network, exit_below(0.5f), 3), (Exits{1, 6, 1}));
}

TEST(Scope, BatchLeavesByItsMean) {
  Plan plan = exit_below(0.5f);
  plan.scope = Scope::Batch;
  EXPECT_EQ(exits_of(PyramidNetwork(scripted_rows({.1f, .9f, .1f})), plan, 3), (Exits{1, 1, 1}));
  EXPECT_EQ(exits_of(PyramidNetwork(scripted_rows({.1f, .9f, .9f})), plan, 3), (Exits{6, 6, 6}));
}

TEST(Scope, BatchSharesNoMeanBetweenEvaluations) {
  Plan plan = exit_below(0.5f);
  plan.scope = Scope::Batch;
  // Samples 0 and 2 stand at evaluation 0, samples 1 and 3 at evaluation 1.
  EXPECT_EQ(exits_of(PyramidNetwork(scripted_rows({.1f, .9f, .2f, .8f})), plan, 4, 1, 2),
            (Exits{1, 6, 1, 6}));
}

TEST(Scope, BatchSharesNoMeanBetweenIndependentBranches) {
  Plan plan = exit_below(0.5f);
  plan.scope = Scope::Batch;
  plan.branches = Branches::Independent;
  EXPECT_EQ(exits_of(PyramidNetwork(scripted_pair(.1f, .95f)), plan, 2, 2), (Exits{1, 6, 1, 6}));
}

TEST(Pair, LeavesByTheLarger) {
  EXPECT_EQ(exits_of(PyramidNetwork(scripted_pair(.1f, .6f)), exit_below(0.5f), 1, 2),
            (Exits{6, 6}));
  EXPECT_EQ(exits_of(PyramidNetwork(scripted_pair(.6f, .1f)), exit_below(0.5f), 1, 2),
            (Exits{6, 6}));
  EXPECT_EQ(exits_of(PyramidNetwork(scripted_pair(.1f, .4f)), exit_below(0.5f), 1, 2),
            (Exits{1, 1}));
}

TEST(Pair, StaysWhereEitherBranchIsNaN) {
  EXPECT_EQ(exits_of(PyramidNetwork(scripted_pair(.1f, NAN)), exit_below(0.5f), 1, 2),
            (Exits{6, 6}));
  EXPECT_EQ(exits_of(PyramidNetwork(scripted_pair(NAN, .1f)), exit_below(0.5f), 1, 2),
            (Exits{6, 6}));
}

TEST(Pair, LeavesByTheMean) {
  Plan plan = exit_below(0.5f);
  plan.pair = PairUncertainty::Mean;
  EXPECT_EQ(exits_of(PyramidNetwork(scripted_pair(.1f, .6f)), plan, 1, 2), (Exits{1, 1}));
}

TEST(Pair, LeavesByTheConditional) {
  Plan plan = exit_below(0.5f);
  plan.pair = PairUncertainty::Conditional;
  EXPECT_EQ(exits_of(PyramidNetwork(scripted_pair(.1f, .95f)), plan, 1, 2), (Exits{1, 1}));
  EXPECT_EQ(exits_of(PyramidNetwork(scripted_pair(.95f, .1f)), plan, 1, 2), (Exits{6, 6}));
}

TEST(Branches, IndependentOnesLeaveEachForItself) {
  Plan plan = exit_below(0.5f);
  plan.branches = Branches::Independent;
  EXPECT_EQ(exits_of(PyramidNetwork(scripted_pair(.1f, .6f)), plan, 1, 2), (Exits{1, 6}));
}

TEST(ExitZero, RunsNoBlock) {
  const PyramidNetwork network;
  const detail::ExecutablePlan plan = executable(fixed_exit(0, 6), network);
  const Rows rows = make_rows(network, 3, 1, plan);
  const Executed executed = execute(network, plan, rows);
  EXPECT_EQ(executed.exits(), (Exits{0, 0, 0}));
  EXPECT_EQ(network.ran().begins, 0);
  EXPECT_LE(relative_error(executed.out, rows.x * plan.evaluations[0].prediction.linear_output),
            1e-6);
}

TEST(ExitZero, LeavesTheOtherRowsInThePass) {
  const PyramidNetwork network;
  Plan plan = fixed_exit(0, 6);
  plan.rules[0].until = 0.6;
  plan.rules.push_back({});
  const detail::ExecutablePlan compiled = executable(plan, network, 2);  // times 1 and 0.5
  const Rows rows = make_rows(network, 4, 1, compiled);
  const Executed executed = execute(network, compiled, rows);
  EXPECT_EQ(executed.exits(), (Exits{0, 6, 0, 6}));
  EXPECT_EQ(network.ran().embedded, 2);
  EXPECT_TRUE(at::equal(executed.out[1], run_everything(network, compiled, rows).back()[1]));
}

TEST(Until, RulesHoldForTheirRangeOfTime) {
  const PyramidNetwork network(scripted({.1f, .1f, .1f, .1f, .1f}));
  Plan plan = exit_below(0.5f);
  plan.rules[0].until = 0.6;
  plan.rules.push_back(fixed_exit(4, 6).rules[0]);
  EXPECT_EQ(exits_of(network, plan, 2, 1, 2), (Exits{1, 4}));
}

TEST(MaxExit, ForcesRowsOutWithoutAScore) {
  const PyramidNetwork network;
  EXPECT_EQ(exits_of(network, fixed_exit(3, 6), 2), (Exits{3, 3}));
  for (const auto& scores : network.ran().scores) EXPECT_EQ(scores, 0);
  EXPECT_EQ(network.ran().heads[2], 2);
}

TEST(MaxExit, ForcesOnlyTheRowsOfItsEvaluation) {
  const PyramidNetwork network;
  EXPECT_EQ(exits_of(network, fixed_exits(Exits{2, 5}, 6), 4, 1, 2), (Exits{2, 5, 2, 5}));
}

TEST(CanExit, AsksNowhereElse) {
  PyramidOptions options = scripted({.1f, .1f, .1f, .1f, .1f});
  options.can_exit = {0, 0, 0, 1, 0, 1};
  const PyramidNetwork network(options);
  EXPECT_EQ(exits_of(network, exit_below(0.5f)), Exits{3});
  EXPECT_EQ(network.ran().scores[0], 0);
}

}  // namespace
}  // namespace adadiff::test
