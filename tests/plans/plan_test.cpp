// Builders: the plan that each one makes, and what it refuses.
#include <adadiff/plan.h>

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>

#include <adadiff/error.h>

namespace adadiff {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

template <class Call>
void expect_refused(Call call, const std::string& message) {
  EXPECT_THAT(call, ThrowsMessage<InvalidArgument>(HasSubstr(message)));
}

TEST(FullDepth, NeverLeaves) {
  EXPECT_EQ(full_depth(), Plan{});
  EXPECT_THAT(full_depth().rules[0].below, ElementsAre(kNever));
}

TEST(ExitBelow, HasOneThresholdForAllExits) {
  const Plan plan = exit_below(0.08F);
  ASSERT_EQ(plan.rules.size(), 1u);
  EXPECT_THAT(plan.rules[0].below, ElementsAre(0.08F));
  EXPECT_TRUE(plan.rules[0].hits.empty());
}

TEST(ExitBelow, RefusesThresholdsOutsideOfUncertainty) {
  expect_refused([] { exit_below(-0.1F); }, "exit_below.threshold: must be in [0, 1], but is -0.1");
  expect_refused([] { exit_below(1.5F); }, "exit_below.threshold: must be in [0, 1], but is 1.5");
  expect_refused([] { exit_below(NAN); }, "exit_below.threshold: must be in [0, 1], but is nan");
}

TEST(ExitBelowRamp, MultipliesFromEvaluationToEvaluation) {
  const Plan plan = exit_below_ramp(0.02F, 0.08F, 3);
  EXPECT_EQ(plan.key, RuleKey::Evaluation);
  ASSERT_EQ(plan.rules.size(), 3u);
  EXPECT_EQ(plan.rules[0].below, std::vector<float>{0.02F});
  EXPECT_NEAR(plan.rules[1].below.front(), 0.04F, 1e-8);
  EXPECT_NEAR(plan.rules[2].below.front(), 0.08F, 1e-8);
  EXPECT_EQ(exit_below_ramp(0.02F, 0.08F, 1).rules.size(), 1u);
}

TEST(ExitBelowRamp, RefusesThresholdsWithoutARatio) {
  expect_refused([] { exit_below_ramp(0, 0.5F, 3); },
                 "exit_below_ramp.first: must be in [1e-30, 1], but is 0");
  expect_refused([] { exit_below_ramp(0.5F, 1.5F, 3); }, "exit_below_ramp.last: must be in ");
  expect_refused([] { exit_below_ramp(NAN, 0.5F, 3); }, "exit_below_ramp.first: must be in ");
  expect_refused([] { exit_below_ramp(0.1F, 0.5F, 0); },
                 "exit_below_ramp.evaluations: must be in [1, 20000], but is 0");
}

TEST(ExitWhenAgreed, SetsHitsAndCounting) {
  const Plan plan = exit_when_agreed(0.2F, 3, Counting::Cumulative);
  EXPECT_THAT(plan.rules[0].hits, ElementsAre(3));
  EXPECT_EQ(plan.counting, Counting::Cumulative);
}

TEST(ExitWhenAgreed, RefusesHitsOutOfRange) {
  expect_refused([] { exit_when_agreed(0.2F, 0); },
                 "exit_when_agreed.hits: must be in [1, 255], but is 0");
  expect_refused([] { exit_when_agreed(0.2F, 256); },
                 "exit_when_agreed.hits: must be in [1, 255], but is 256");
  expect_refused([] { exit_when_agreed(2, 1); },
                 "exit_when_agreed.threshold: must be in [0, 1], but is 2");
}

TEST(FixedExit, IsAlwaysAtItsExitAndNeverElsewhere) {
  EXPECT_THAT(fixed_exit(2, 4).rules[0].below, ElementsAre(kNever, kNever, kAlways, kNever));
  EXPECT_THAT(fixed_exit(0, 2).rules[0].below, ElementsAre(kAlways, kNever));
}

TEST(FixedExit, IsFullDepthAtTheLastBlock) { EXPECT_EQ(fixed_exit(4, 4), full_depth()); }

TEST(FixedExit, RefusesBlocksThatTheNetworkLacks) {
  expect_refused([] { fixed_exit(5, 4); }, "fixed_exit.blocks_run: must be in [0, 4], but is 5");
  expect_refused([] { fixed_exit(-1, 4); }, "fixed_exit.blocks_run: must be in [0, 4], but is -1");
  expect_refused([] { fixed_exit(0, 0); }, "fixed_exit.blocks: must be in [1, 255], but is 0");
  expect_refused([] { fixed_exit(0, 1); },
                 "fixed_exit.blocks_run: must be 1 on a network with one block, but is 0");
}

TEST(FixedExits, HasOneRulePerEvaluation) {
  const int blocks_run[] = {1, 3};
  const Plan plan = fixed_exits(blocks_run, 3);
  EXPECT_EQ(plan.key, RuleKey::Evaluation);
  ASSERT_EQ(plan.rules.size(), 2u);
  EXPECT_THAT(plan.rules[0].below, ElementsAre(kNever, kAlways, kNever));
  EXPECT_THAT(plan.rules[1].below, ElementsAre(kNever));
}

TEST(FixedExits, RefusesWrongDepthsAndEmptyLists) {
  const int blocks_run[] = {1, 9};
  expect_refused([&] { fixed_exits(blocks_run, 3); },
                 "fixed_exits.blocks_run[1]: must be in [0, 3], but is 9");
  expect_refused([] { fixed_exits({}, 3); },
                 "fixed_exits.blocks_run: number of evaluations: must be in [1, 20000], but is 0");
  expect_refused([&] { fixed_exits(blocks_run, 256); },
                 "fixed_exits.blocks: must be in [1, 255], but is 256");
}

int depth_of(const Plan& plan, std::size_t evaluation, int blocks) {
  const std::vector<float>& below = plan.rules[evaluation].below;
  const auto found = std::find(below.begin(), below.end(), kAlways);
  return found == below.end() ? blocks : static_cast<int>(found - below.begin());
}

TEST(RecordedExits, ReducesSamplesToOneDepthPerEvaluation) {
  const std::vector<std::vector<int>> exits{{1, 2, 5, 5}, {3, 3, 4, 3}};
  const Plan deepest = recorded_exits(exits, 6, Reduction::Deepest),
             median = recorded_exits(exits, 6, Reduction::Median);
  EXPECT_EQ(depth_of(deepest, 0, 6), 5);
  EXPECT_EQ(depth_of(deepest, 1, 6), 4);
  EXPECT_EQ(depth_of(median, 0, 6), 5);
  EXPECT_EQ(depth_of(median, 1, 6), 3);
}

TEST(RecordedExits, RoundsTheMeanHalvesUp) {
  const std::vector<std::vector<int>> exits{{1, 2}, {1, 1, 2}, {0, 0, 1}};
  const Plan plan = recorded_exits(exits, 6, Reduction::Mean);
  EXPECT_EQ(depth_of(plan, 0, 6), 2);
  EXPECT_EQ(depth_of(plan, 1, 6), 1);
  EXPECT_EQ(depth_of(plan, 2, 6), 0);
}

TEST(RecordedExits, LeavesOutSamplesOfACancelledRun) {
  const std::vector<std::vector<int>> exits{{2, -1}, {-1, -1}};
  for (const Reduction reduction : {Reduction::Deepest, Reduction::Median, Reduction::Mean}) {
    const Plan plan = recorded_exits(exits, 6, reduction);
    EXPECT_EQ(depth_of(plan, 0, 6), 2);
    EXPECT_EQ(depth_of(plan, 1, 6), 6);
  }
}

TEST(RecordedExits, RefusesRecordsThatDoNotFit) {
  const std::vector<std::vector<int>> hole{{1}, {}}, deep{{1, 7}};
  expect_refused([&] { recorded_exits(hole, 6, Reduction::Mean); },
                 "recorded_exits.exits[1]: must have an exit for each sample, but is empty");
  expect_refused([&] { recorded_exits(deep, 6, Reduction::Mean); },
                 "recorded_exits.exits[0][1]: must be in [-1, 6], but is 7");
  expect_refused([&] { recorded_exits(deep, 7, static_cast<Reduction>(9)); },
                 "must be Deepest, Median or Mean, but is 9");
  expect_refused([&] { recorded_exits(deep, 0, Reduction::Mean); },
                 "recorded_exits.blocks: must be in [1, 255], but is 0");
}

}  // namespace
}  // namespace adadiff
