// What compile makes of plan, table and model.
#include "plans/compile.h"

#include <cmath>

#include <gmock/gmock.h>

#include "plans/small_model.h"

namespace adadiff {
namespace {

using detail::CompiledEvaluation;
using detail::ExecutablePlan;
using detail::ModelFacts;
using test::small_model;
using testing::Each;
using testing::ElementsAre;

TEST(Compile, SpreadsOneThresholdOverTheExitsFromOneOn) {
  EXPECT_THAT(test::compile(exit_below(0.25F)).rules[0].below,
              ElementsAre(kNever, 0.25F, 0.25F, 0.25F));
}

TEST(Compile, LeavesOutExitsThatTheNetworkLacks) {
  ModelFacts model = small_model();
  model.can_exit = {0, 0, 1, 0};
  EXPECT_THAT(test::compile(exit_below(0.25F), model).rules[0].below,
              ElementsAre(kNever, kNever, 0.25F, kNever));
}

TEST(Compile, TakesAListWithOneEntryPerExitAsItIs) {
  Plan plan;
  plan.rules[0].below = {kAlways, 0.5F, kNever, 0.25F};
  EXPECT_THAT(test::compile(plan).rules[0].below, ElementsAre(kAlways, 0.5F, kNever, 0.25F));
}

TEST(Compile, SpreadsHits) {
  Plan plan = exit_when_agreed(0.5F, 3);
  EXPECT_THAT(test::compile(plan).rules[0].hits, ElementsAre(1, 3, 3, 3));
  plan.rules[0].hits = {1, 2, 3, 4};
  EXPECT_THAT(test::compile(plan).rules[0].hits, ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(test::compile(exit_below(0.5F)).rules[0].hits, Each(1));
}

TEST(Compile, RunsAOneBlockNetworkInFull) {
  ModelFacts model = small_model();
  model.blocks = 1;
  model.can_exit = {1};
  const ExecutablePlan compiled = test::compile(exit_below(0.5F), model);
  EXPECT_THAT(compiled.rules[0].below, ElementsAre(kNever));
  EXPECT_EQ(compiled.evaluations[0].max_exit, 1);
}

TEST(Compile, ChoosesRulesByTime) {
  Plan plan;
  plan.rules = {{.until = 0.5, .below = {kAlways}}, {.until = 0.2}, {.until = 0}};
  ModelFacts model = small_model();
  model.process.schedule = vp_linear_schedule();
  const ExecutablePlan compiled = test::compile(plan, model);  // evaluations at 1, 0.9, ..., 0.1
  std::vector<int> rules;
  for (const CompiledEvaluation& evaluation : compiled.evaluations)
    rules.push_back(evaluation.rule);
  EXPECT_THAT(rules, ElementsAre(0, 0, 0, 0, 0, 1, 1, 1, 2, 2))
      << "a time equal to until belongs to the next rule";
}

TEST(Compile, ChoosesRulesByEvaluation) {
  const int blocks_run[] = {1, 2, 4};
  const ExecutablePlan compiled = test::compile(fixed_exits(blocks_run, 4),
                                                test::settings_of("ddim", 3), small_model());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(compiled.evaluations[static_cast<std::size_t>(i)].rule, i);
    EXPECT_EQ(compiled.evaluations[static_cast<std::size_t>(i)].max_exit, blocks_run[i]);
  }
}

TEST(Compile, EndsAtTheFirstExitThatIsAlways) {
  Plan plan;
  plan.rules[0].below = {kNever, 0.5F, kAlways, kAlways};
  EXPECT_EQ(test::compile(plan).evaluations[0].max_exit, 2);
  EXPECT_EQ(test::compile(exit_below(1)).evaluations[0].max_exit, 4);
}

TEST(Compile, DoesNotEndAtAnAlwaysThatWaitsForAgreement) {
  Plan plan;
  plan.rules[0].below = {kAlways};
  plan.rules[0].hits = {2};
  EXPECT_EQ(test::compile(plan).evaluations[0].max_exit, 4);
}

TEST(Compile, CountsStepsNotEvaluations) {
  const ExecutablePlan compiled = test::compile(full_depth(), test::settings_of("heun", 5),
                                                small_model());
  EXPECT_EQ(compiled.evaluations.size(), 9u);
  EXPECT_EQ(compiled.steps, 5);
}

TEST(Compile, CarriesTheChoicesOfPlanAndSettings) {
  Plan plan;
  plan.scope = Scope::Batch;
  plan.branches = Branches::Independent;
  plan.pair = PairUncertainty::Conditional;
  plan.counting = Counting::Cumulative;
  SolverSettings settings = test::settings_of("ddim", 2);
  settings.clamp = true;
  const ExecutablePlan compiled = test::compile(plan, settings, small_model());
  EXPECT_EQ(compiled.scope, Scope::Batch);
  EXPECT_EQ(compiled.branches, Branches::Independent);
  EXPECT_EQ(compiled.pair, PairUncertainty::Conditional);
  EXPECT_EQ(compiled.counting, Counting::Cumulative);
  EXPECT_TRUE(compiled.clamp);
  EXPECT_EQ(compiled.blocks, 4);
}

TEST(Compile, GivesTheNumberThatTheNetworkEmbeds) {
  ModelFacts model = small_model();
  model.process.time_scale = 999;
  model.process.time_shift = -1;
  const ExecutablePlan compiled = test::compile(full_depth(), model);
  for (const CompiledEvaluation& evaluation : compiled.evaluations) {
    EXPECT_DOUBLE_EQ(evaluation.prediction.network_time, 999 * evaluation.update.time - 1);
  }
}

/// What a network of that kind puts out for a known clean image and noise.
double output_of(Prediction prediction, double alpha, double sigma, double clean, double noise) {
  if (prediction == Prediction::Noise) return noise;
  return prediction == Prediction::Clean ? clean : alpha * noise - sigma * clean;
}

class EveryPrediction : public testing::TestWithParam<Prediction> {};
INSTANTIATE_TEST_SUITE_P(Predictions, EveryPrediction,
                         testing::Values(Prediction::Noise, Prediction::Clean,
                                         Prediction::Velocity));

TEST_P(EveryPrediction, TurnsTheNetworksOutputIntoTheCleanImage) {
  ModelFacts model = small_model();
  model.process.prediction = GetParam();
  for (const CompiledEvaluation& evaluation : test::compile(full_depth(), model).evaluations) {
    const double alpha = model.process.schedule->alpha(evaluation.update.time),
                 sigma = model.process.schedule->sigma(evaluation.update.time);
    const double clean = 0.3, noise = -1.2, x = alpha * clean + sigma * noise;
    const double output = output_of(GetParam(), alpha, sigma, clean, noise);
    EXPECT_NEAR(evaluation.prediction.clean_from_state * x +
                    evaluation.prediction.clean_from_output * output,
                clean, 1e-12);
  }
}

TEST_P(EveryPrediction, PredictsLinearlyAtExitZero) {
  ModelFacts model = small_model();
  model.process.prediction = GetParam();
  model.process.data_std = 0.5;
  for (const CompiledEvaluation& evaluation : test::compile(full_depth(), model).evaluations) {
    const double alpha = model.process.schedule->alpha(evaluation.update.time),
                 sigma = model.process.schedule->sigma(evaluation.update.time);
    const double x = 0.8, clean = alpha * 0.25 / (alpha * alpha * 0.25 + sigma * sigma) * x;
    EXPECT_NEAR(
        evaluation.prediction.clean_from_state * x +
            evaluation.prediction.clean_from_output * evaluation.prediction.linear_output * x,
        clean, 1e-12);
  }
}

TEST(Compile, AcceptsSettingsEqualToThePlans) {
  Plan plan;
  plan.solver = test::settings_of("ddim", 10);
  EXPECT_NO_THROW(test::compile(plan));
}

TEST(Compile, ComparesTimesInsteadOfGridAndSteps) {
  SolverSettings planned = test::settings_of("ddim", 10), settings = test::settings_of("ddim", 20);
  planned.times = settings.times = {0.9, 0.5, 0};
  Plan plan;
  plan.solver = planned;
  EXPECT_EQ(test::compile(plan, settings, small_model()).evaluations.size(), 2u);
}

TEST(Compile, AcceptsAPlanForThisModelAndOnesForNoneOrUnknown) {
  Plan plan;
  plan.model = "model-a";
  EXPECT_NO_THROW(test::compile(plan));
  ModelFacts model = small_model();
  model.id.clear();
  EXPECT_NO_THROW(test::compile(plan, model));
}

TEST(Compile, AcceptsASkipListWithoutBits) {
  Plan plan;
  plan.rules[0].skip = {0, 0, 0, 0};
  EXPECT_NO_THROW(test::compile(plan));
}

TEST(Compile, RunsFixedExitsWithoutUncertainty) {
  ModelFacts model = small_model();
  model.has_uncertainty = false;
  EXPECT_EQ(test::compile(fixed_exit(2, 4), model).evaluations[0].max_exit, 2);
}

}  // namespace
}  // namespace adadiff
