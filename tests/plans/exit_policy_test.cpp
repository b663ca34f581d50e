// Truth tables of the policies: who is consulted, who leaves.
#include <cmath>

#include <gmock/gmock.h>

#include <adadiff/error.h>

#include "plans/small_model.h"

namespace adadiff {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// A policy over rules by evaluation on four blocks, asked about one unit per entry of
/// `evaluations`.
class Asked {
 public:
  Asked(std::vector<Rule> rules, Counting counting = Counting::Consecutive) {
    Plan plan;
    plan.key = RuleKey::Evaluation;
    plan.counting = counting;
    plan.rules = std::move(rules);
    policy_ = detail::threshold_policy(test::compile(
        plan, test::settings_of("ddim", static_cast<int>(plan.rules.size())), test::small_model()));
  }

  Consult consult(int exit, const std::vector<int>& evaluations = {0}) const {
    const auto units = units_of(evaluations);
    return policy_->consult({exit, 4, units});
  }

  /// readings[unit]: uncertainties at exits 0..exit.
  std::vector<std::uint8_t> decide(const std::vector<std::vector<float>>& readings,
                                   const std::vector<int>& evaluations = {0}) const {
    const auto units = units_of(evaluations);
    std::vector<float> flat;
    for (const auto& row : readings) flat.insert(flat.end(), row.begin(), row.end());
    std::vector<std::uint8_t> leave(units.size(), 7);
    const int per_unit = static_cast<int>(readings[0].size());
    policy_->decide({per_unit - 1, 4, units}, {flat, per_unit}, leave);
    return leave;
  }

  bool leaves(const std::vector<float>& readings) const { return decide({readings})[0] == 1; }

 private:
  static std::vector<DecisionUnit> units_of(const std::vector<int>& evaluations) {
    std::vector<DecisionUnit> units;
    for (const int evaluation : evaluations) {
      units.push_back(
          {.sample = static_cast<std::int64_t>(units.size()), .evaluation = evaluation});
    }
    return units;
  }

  std::shared_ptr<const ExitPolicy> policy_;
};

Rule below(std::vector<float> thresholds, std::vector<std::uint8_t> hits = {}) {
  return {.below = std::move(thresholds), .hits = std::move(hits)};
}

TEST(ThresholdPolicy, AsksForScoresOnlyWhereAThresholdStands) {
  const Asked policy({below({kAlways, kNever, 0.5F, kAlways})});
  EXPECT_EQ(policy.consult(0), Consult::Leave);
  EXPECT_EQ(policy.consult(1), Consult::No);
  EXPECT_EQ(policy.consult(2), Consult::Score);
  EXPECT_EQ(policy.consult(3), Consult::Leave);
}

TEST(ThresholdPolicy, AsksForScoresWhereUnitsDiffer) {
  const Asked policy({below({kNever}), below({kAlways}), below({0.5F})});
  EXPECT_EQ(policy.consult(1, {0, 0}), Consult::No);
  EXPECT_EQ(policy.consult(1, {1, 1}), Consult::Leave);
  EXPECT_EQ(policy.consult(1, {0, 1}), Consult::Decide) << "neither looks";
  EXPECT_EQ(policy.consult(1, {0, 2}), Consult::Score);
  EXPECT_EQ(policy.consult(1, {1, 2}), Consult::Score);
}

TEST(ThresholdPolicy, AsksForScoresWhereNobodyCanLeaveYetButReadingsCount) {
  const Asked policy({below({0.5F}, {2})});
  EXPECT_EQ(policy.consult(1), Consult::Score);
  EXPECT_FALSE(policy.leaves({NAN, 0.1F}));
}

TEST(ThresholdPolicy, DoesNotLetAllGoWhereAlwaysWaitsForAgreement) {
  EXPECT_EQ(Asked({below({kAlways}, {2})}).consult(1), Consult::Decide);
}

TEST(ThresholdPolicy, LeavesStrictlyBelow) {
  const Asked policy({below({0.5F})});
  EXPECT_TRUE(policy.leaves({NAN, 0.49999997F}));
  EXPECT_FALSE(policy.leaves({NAN, 0.5F}));
  EXPECT_FALSE(policy.leaves({NAN, 0.6F}));
}

TEST(ThresholdPolicy, NeverLeavesOnNan) { EXPECT_FALSE(Asked({below({1})}).leaves({NAN, NAN})); }

TEST(ThresholdPolicy, LooksAtTheLatestReadingOnly) {
  const Asked policy({below({0.5F})});
  EXPECT_FALSE(policy.leaves({NAN, 0.1F, 0.9F}));
  EXPECT_TRUE(policy.leaves({NAN, 0.9F, 0.1F}));
}

TEST(ThresholdPolicy, LeavesAtAlwaysWithoutAReading) {
  EXPECT_TRUE(Asked({below({kNever, kAlways, 0.5F, 0.5F})}).leaves({NAN, NAN}));
}

TEST(ThresholdPolicy, DecidesEachUnitByItsOwnRule) {
  const Asked policy({below({kNever}), below({kAlways}), below({0.5F}), below({0.1F})});
  EXPECT_THAT(policy.decide({{NAN, 0.F}, {NAN, NAN}, {NAN, 0.3F}, {NAN, 0.3F}}, {0, 1, 2, 3}),
              ElementsAre(0, 1, 1, 0));
}

TEST(ThresholdPolicy, NeverLeavesAtNeverHoweverManyAgreedBefore) {
  EXPECT_FALSE(Asked({below({kNever, 0.5F, kNever, 0.5F})}).leaves({NAN, 0.1F, 0.0F}));
}

struct Row {
  std::vector<float> readings;
  bool consecutive, cumulative;
};

TEST(Agreement, OfTwoLeavesAsCounted) {
  const Asked consecutive({below({0.5F}, {2})}),
      cumulative({below({0.5F}, {2})}, Counting::Cumulative);
  const float low = 0.1F, high = 0.9F;
  const Row table[] = {{{NAN, low}, false, false},          {{NAN, low, low}, true, true},
                       {{NAN, low, high}, false, false},    {{NAN, low, high, low}, false, true},
                       {{NAN, high, low, low}, true, true}, {{NAN, low, low, high}, false, false},
                       {{NAN, low, NAN, low}, false, true}, {{NAN, NAN, low, low}, true, true},
                       {{NAN, low, low, NAN}, false, false}};
  for (const Row& row : table) {
    EXPECT_EQ(consecutive.leaves(row.readings), row.consecutive)
        << testing::PrintToString(row.readings);
    EXPECT_EQ(cumulative.leaves(row.readings), row.cumulative)
        << testing::PrintToString(row.readings);
  }
}

TEST(Agreement, TakesTheHitsOfTheCurrentExit) {
  const Asked policy({below({kNever, 0.5F, 0.5F, 0.5F}, {1, 3, 2, 1})});
  EXPECT_FALSE(policy.leaves({NAN, 0.1F}));
  EXPECT_TRUE(policy.leaves({NAN, 0.1F, 0.1F}));
  EXPECT_TRUE(policy.leaves({NAN, 0.9F, 0.9F, 0.1F}));
}

TEST(Agreement, ComparesEachReadingWithItsOwnThreshold) {
  const Asked policy({below({kNever, 0.2F, 0.6F, 0.6F}, {2})});
  EXPECT_TRUE(policy.leaves({NAN, 0.1F, 0.5F}));
  EXPECT_FALSE(policy.leaves({NAN, 0.3F, 0.5F}));
}

TEST(Agreement, PassesOverExitsThatAreNever) {
  const Asked policy({below({kNever, 0.5F, kNever, 0.5F}, {2})});
  EXPECT_TRUE(policy.leaves({NAN, 0.1F, NAN, 0.1F})) << "no vote, no break";
  EXPECT_FALSE(policy.leaves({NAN, 0.9F, 0.0F, 0.1F})) << "a reading there counts for nothing";
}

TEST(Agreement, CountsAlwaysWithoutAReading) {
  const Asked policy({below({kAlways}, {2})});
  EXPECT_FALSE(policy.leaves({NAN, NAN}));
  EXPECT_TRUE(policy.leaves({NAN, NAN, NAN}));
}

TEST(ThresholdPolicy, IsPure) {
  const Asked policy({below({0.5F}, {2})});
  for (int i = 0; i < 3; ++i)
    EXPECT_THAT(policy.decide({{NAN, 0.1F, 0.1F}, {NAN, 0.9F, 0.1F}}, {0, 0}), ElementsAre(1, 0));
}

class Replay : public testing::Test {
 protected:
  Consult consult(int exit, const std::vector<DecisionUnit>& units) const {
    return policy->consult({exit, 4, units});
  }
  std::vector<std::uint8_t> decide(int exit, const std::vector<DecisionUnit>& units) const {
    std::vector<std::uint8_t> leave(units.size(), 7);
    policy->decide({exit, 4, units}, {}, leave);
    return leave;
  }
  std::shared_ptr<const ExitPolicy> policy = replay_policy({{1, 2, 4}, {0, 3, 3}});
};

TEST_F(Replay, LeavesWhereEachSampleLeft) {
  const std::vector<DecisionUnit> units{{.sample = 0}, {.sample = 1}, {.sample = 2}};
  EXPECT_EQ(consult(0, units), Consult::No);
  EXPECT_EQ(consult(1, units), Consult::Decide);
  EXPECT_THAT(decide(1, units), ElementsAre(1, 0, 0));
  EXPECT_EQ(consult(2, {{.sample = 1}}), Consult::Leave);
  EXPECT_EQ(consult(3, {{.sample = 2}}), Consult::No);
}

TEST_F(Replay, FollowsTheEvaluationOfEachUnit) {
  EXPECT_THAT(decide(1, {{.sample = 0, .evaluation = 0}, {.sample = 1, .evaluation = 1}}),
              ElementsAre(1, 0));
  EXPECT_EQ(consult(0, {{.sample = 0, .evaluation = 1}}), Consult::Leave);
}

TEST_F(Replay, RunsWhatIsBeyondTheRecordInFull) {
  EXPECT_EQ(consult(3, {{.sample = 3}, {.sample = 0, .evaluation = 2}}), Consult::No);
}

TEST(ReplayPolicy, RunsSamplesOfACancelledRunInFull) {
  const std::vector<DecisionUnit> units{{.sample = 0}};
  EXPECT_EQ(replay_policy({{-1}})->consult({3, 4, units}), Consult::No);
}

TEST_F(Replay, TakesTheNextExitWhereTheRecordedOneIsMissing) {
  EXPECT_EQ(consult(3, {{.sample = 1}}), Consult::Leave);
}

TEST(ReplayPolicy, RefusesExitsThatNoNetworkHas) {
  EXPECT_THAT(
      [] {
        replay_policy({{1}, {2, -2}});
      },
      ThrowsMessage<InvalidArgument>(
          HasSubstr("replay_policy.exits[1][1]: must be in [0, 255], or -1 for none, but is -2")));
  EXPECT_THAT([] { replay_policy({{256}}); },
              ThrowsMessage<InvalidArgument>(HasSubstr(
                  "replay_policy.exits[0][0]: must be in [0, 255], or -1 for none, but is 256")));
}

}  // namespace
}  // namespace adadiff
