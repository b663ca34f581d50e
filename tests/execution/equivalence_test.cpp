// The adaptive pass computes what "run everything, then pick" computes, and runs only what it says
// it runs.
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "execution/execution_fixture.h"

namespace adadiff::test {
namespace {

PyramidOptions labelled() {
  PyramidOptions options;
  options.classes = 4;
  options.null_label = 3;
  return options;
}

Plan random_plan(std::mt19937& random, int blocks) {
  Plan plan;
  plan.rules[0].below.clear();
  std::uniform_real_distribution<float> threshold(0.0f, 0.6f);
  plan.rules[0].below.push_back(random() % 4 == 0 ? kAlways : kNever);
  for (int k = 1; k < blocks; ++k)
    plan.rules[0].below.push_back(random() % 8 == 0 ? kNever : threshold(random));
  plan.rules[0].hits.assign(static_cast<std::size_t>(blocks),
                            static_cast<std::uint8_t>(1 + random() % 2));
  plan.rules[0].hits[0] = 1;
  plan.counting = random() % 2 == 0 ? Counting::Consecutive : Counting::Cumulative;
  // A second range of time, so that rows at different steps follow different rules.
  plan.rules.push_back(plan.rules[0]);
  plan.rules[0].until = 0.5;
  plan.rules[1].below.assign(static_cast<std::size_t>(blocks), threshold(random));
  plan.rules[1].below[0] = kNever;
  return plan;
}

struct Case {
  Scope scope;
  int branches;
  Branches together;
  PairUncertainty pair;
};

class Equivalence : public testing::TestWithParam<Case> {};

TEST_P(Equivalence, PicksWhatRunningEverythingGives) {
  const PyramidNetwork network(labelled());
  std::mt19937 random(7);
  std::set<int> seen;
  for (const std::int64_t samples : {1, 2, 3, 8, 17, 64, 65}) {
    Plan plan = random_plan(random, network.info().blocks);
    plan.scope = GetParam().scope;
    plan.branches = GetParam().together;
    plan.pair = GetParam().pair;
    const detail::ExecutablePlan compiled = executable(plan, network, 4);
    const Rows rows = make_rows(network, samples, GetParam().branches, compiled,
                                static_cast<int>(samples));
    const Executed executed = execute(network, compiled, rows);
    const std::vector<int> exits = executed.exits();
    seen.insert(exits.begin(), exits.end());
    EXPECT_LE(relative_error(executed.out, pick(run_everything(network, compiled, rows), exits)),
              1e-5)
        << samples;
  }
  EXPECT_GE(seen.size(), 2u) << "too little happens to test anything";
}

INSTANTIATE_TEST_SUITE_P(
    Knobs, Equivalence,
    testing::Values(Case{Scope::Sample, 1, Branches::Together, PairUncertainty::Larger},
                    Case{Scope::Batch, 1, Branches::Together, PairUncertainty::Larger},
                    Case{Scope::Sample, 2, Branches::Together, PairUncertainty::Larger},
                    Case{Scope::Sample, 2, Branches::Together, PairUncertainty::Mean},
                    Case{Scope::Sample, 2, Branches::Together, PairUncertainty::Conditional},
                    Case{Scope::Batch, 2, Branches::Together, PairUncertainty::Larger},
                    Case{Scope::Sample, 2, Branches::Independent, PairUncertainty::Larger},
                    Case{Scope::Batch, 2, Branches::Independent, PairUncertainty::Larger}));

Rows only(const Rows& rows, std::int64_t first, std::int64_t count) {
  const auto begin = rows.rows.begin() + first;
  return {{begin, begin + count},
          rows.x.narrow(0, first, count),
          rows.time.narrow(0, first, count),
          rows.labels.defined() ? rows.labels.narrow(0, first, count) : rows.labels};
}

TEST(SampleScope, SamplesDecideAndComputeAsIfTheyWereAlone) {
  const PyramidNetwork network(labelled());
  std::mt19937 random(11);
  const detail::ExecutablePlan plan = executable(random_plan(random, network.info().blocks),
                                                 network, 4);
  const Rows rows = make_rows(network, 20, 2, plan);
  const Executed together = execute(network, plan, rows);
  for (std::int64_t row = 0; row < 40; row += 2) {
    const Executed alone = execute(network, plan, only(rows, row, 2));
    EXPECT_EQ(alone.outcomes[0].exit, together.outcomes[static_cast<std::size_t>(row)].exit);
    EXPECT_TRUE(at::equal(alone.out, together.out.narrow(0, row, 2)));
  }
}

at::Tensor plain_forward(const Network& network, const detail::ExecutablePlan& plan,
                         const Rows& rows) {
  return run_everything(network, plan, rows).back();
}

TEST(NeverExit, GivesThePlainForwardBitForBit) {
  const PyramidNetwork network;
  const detail::ExecutablePlan plan = executable(full_depth(), network);
  const Rows rows = make_rows(network, 5, 1, plan);
  EXPECT_TRUE(at::equal(execute(network, plan, rows).out, plain_forward(network, plan, rows)));
}

TEST(NeverExit, GivesThePlainForwardBitForBitWhenScoresAreComputed) {
  const PyramidNetwork network;
  const detail::ExecutablePlan plan = executable(exit_below(1e-9f), network);
  const Rows rows = make_rows(network, 5, 1, plan);
  const Executed executed = execute(network, plan, rows);
  EXPECT_TRUE(at::equal(executed.out, plain_forward(network, plan, rows)));
  EXPECT_EQ(executed.counts.scores[0], 5);
}

TEST(NeverExit, ComputesNoScoreAndGathersNothing) {
  const PyramidNetwork network;
  const detail::ExecutablePlan plan = executable(full_depth(), network);
  const Executed executed = execute(network, plan, make_rows(network, 5, 1, plan));
  EXPECT_EQ(network.ran().keeps, 0);
  for (const auto& scores : network.ran().scores) EXPECT_EQ(scores, 0);
  EXPECT_EQ(executed.exits(), std::vector<int>(5, 6));
}

TEST(Counts, EqualWhatTheNetworkRan) {
  std::mt19937 random(3);
  for (int round = 0; round < 20; ++round) {
    const PyramidNetwork network(labelled());
    const detail::ExecutablePlan plan = executable(random_plan(random, network.info().blocks),
                                                   network, 4);
    const Executed executed = execute(network, plan, make_rows(network, 9, 2, plan, round));
    EXPECT_EQ(executed.counts.embedded, network.ran().embedded);
    for (std::size_t k = 0; k < 6; ++k) {
      EXPECT_EQ(executed.counts.blocks[k], network.ran().blocks[k]);
      EXPECT_EQ(executed.counts.heads[k], network.ran().heads[k]);
      EXPECT_EQ(executed.counts.scores[k], network.ran().scores[k]);
    }
  }
}

TEST(Counts, SumOfBlocksIsSumOfExits) {
  const PyramidNetwork network;
  const detail::ExecutablePlan plan = executable(exit_below(0.3f), network);
  const Executed executed = execute(network, plan, make_rows(network, 33, 1, plan));
  std::int64_t exits = 0, blocks = 0;
  for (const int exit : executed.exits()) exits += exit;
  for (const std::int64_t rows : executed.counts.blocks) blocks += rows;
  EXPECT_EQ(blocks, exits);
  EXPECT_LT(blocks, 33 * 6);
}

TEST(Advance, RunsExactlyOneBlock) {
  const PyramidNetwork network;
  const detail::ExecutablePlan plan = executable(full_depth(), network);
  EXPECT_EQ(execute(network, plan, make_rows(network, 2, 1, plan)).advances, 6);
}

}  // namespace
}  // namespace adadiff::test
