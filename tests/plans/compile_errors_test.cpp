// Every way a plan can miss the model, the run or this build, with its message.
#include <cmath>

#include <gmock/gmock.h>

#include <adadiff/error.h>

#include "plans/small_model.h"

namespace adadiff {
namespace {

using detail::ModelFacts;
using test::small_model;
using testing::HasSubstr;
using testing::ThrowsMessage;

void expect_refused(const Plan& plan, const std::string& message,
                    const ModelFacts& model = small_model(),
                    const SolverSettings& settings = test::settings_of("ddim", 10)) {
  EXPECT_THAT([&] { test::compile(plan, settings, model); },
              ThrowsMessage<InvalidArgument>(HasSubstr(message)));
}

Plan two_rules(const Rule& second) {
  Plan plan;
  plan.rules = {{.until = 0.5}, second};
  return plan;
}

TEST(CompileErrors, NameListsThatDoNotFitTheBlocks) {
  expect_refused(two_rules({.below = {kNever, 0.5F, 0.5F}}),
                 "rules[1].below: must have 1 entry or 4, one per exit 0..3, but has 3");
  expect_refused(two_rules({.hits = {1, 1}}),
                 "rules[1].hits: must have 1 entry or 4, one per exit 0..3, but has 2");
  expect_refused(two_rules({.skip = {0, 0}}),
                 "rules[1].skip: must have 1 entry or 4, one per block, but has 2");
}

TEST(CompileErrors, NameColumnsThatDoNotRunYet) {
  expect_refused(
      two_rules({.network = "small"}),
      R"(rules[1].network: must be "main" in this build, but is "small"; several weight sets do not run yet)");
  expect_refused(two_rules({.precision = Precision::Int8}),
                 "rules[1].precision: must be one of float32, but is int8; ");
  expect_refused(two_rules({.precision = Precision::BFloat16}), "but is bfloat16");
  expect_refused(two_rules({.skip = {0, 0, 3, 0}}),
                 "rules[1].skip[2]: must be 0, but is 3; the network cannot leave out other parts");
}

void expect_table_refused(const Evaluation& changed, const std::string& message) {
  const ModelFacts model = small_model();
  const auto settings = test::settings_of("ddim", 2);
  auto table = find_solver("ddim")(
      {*model.process.schedule, time_grid("uniform", model.process, 2), 0});
  table[1].noise_scale = changed.noise_scale;
  table[1].blend = changed.blend;
  EXPECT_THAT([&] { detail::compile(full_depth(), settings, table, model); },
              ThrowsMessage<InvalidArgument>(HasSubstr(message)));
}

TEST(CompileErrors, NameExtrasOfEvaluationsThatDoNotRunYet) {
  expect_table_refused(
      {.noise_scale = NoiseScale::LearnedVariance},
      "evaluations[1].noise_scale: must be coefficient with a network that predicts no variances, "
      "but is learned variance");
  expect_table_refused({.blend = Blend::KnownPixels},
                       "evaluations[1].blend: must be nothing in this build, but is known pixels");
}

TEST(CompileErrors, NameExitsThatTheNetworkLacks) {
  ModelFacts model = small_model();
  model.can_exit = {0, 1, 0, 1};
  expect_refused(
      two_rules({.below = {kNever, 0.5F, 0.5F, 0.5F}}),
      R"(rules[1].below[2]: must be "never", but is 0.5; the network cannot be left at exit 2)",
      model);
  expect_refused(
      two_rules({.below = {kAlways, kNever, kNever, kNever}}),
      R"(rules[1].below[0]: must be "never", but is "always"; the network cannot be left at exit 0)",
      model);
}

TEST(CompileErrors, NameThresholdsOnANetworkWithoutUncertainty) {
  ModelFacts model = small_model();
  model.has_uncertainty = false;
  expect_refused(
      exit_below(0.5F),
      R"(rules[0].below: must be "never" or "always", but is 0.5; the network has no uncertainty)",
      model);
  expect_refused(two_rules({.below = {kNever, kAlways, 0.5F, kNever}}),
                 "rules[1].below[2]: must be", model);
}

TEST(CompileErrors, NameThresholdsAtExitZero) {
  expect_refused(
      two_rules({.below = {0.1F, 0.1F, 0.1F, 0.1F}}),
      "rules[1].below[0]: must be \"never\" or \"always\", but is 0.1; exit 0 has no uncertainty");
}

TEST(CompileErrors, NamePlansThatNoModelCouldRun) {
  Plan plan;
  plan.rules.clear();
  expect_refused(plan, "rules: must have 1 to 20000 entries, but has 0");
  expect_refused(two_rules({.below = {NAN}}),
                 "rules[1].below: must be in [0, 1], \"never\" or \"always\", but is nan");
}

TEST(CompileErrors, NameTheNumberOfEvaluations) {
  const int blocks_run[] = {1, 2};
  expect_refused(
      fixed_exits(blocks_run, 4),
      "rules: must have 10 entries, one per evaluation of the run, but has 2; change the steps");
  expect_refused(fixed_exits(blocks_run, 4), "rules: must have 3 entries", small_model(),
                 test::settings_of("heun", 2));
}

TEST(CompileErrors, NameTheSettingThatDiffersFromThePlans) {
  Plan plan;
  plan.solver = test::settings_of("ddim", 20);
  expect_refused(plan,
                 "solver.steps: must be 20, which the plan was made for, but is 10; run with the "
                 "plan's settings");
  plan.solver = test::settings_of("heun", 10);
  expect_refused(plan,
                 R"(solver.name: must be "heun", which the plan was made for, but is "ddim")");
  plan.solver = test::settings_of("ddim", 10);
  plan.solver->grid = "logsnr";
  expect_refused(plan,
                 R"(solver.grid: must be "logsnr", which the plan was made for, but is "uniform")");
  plan.solver->grid = "uniform";
  plan.solver->eta = 0.5;
  expect_refused(plan, "solver.eta: must be 0.5, which the plan was made for, but is 0");
  plan.solver->eta = 0;
  plan.solver->clamp = true;
  expect_refused(plan, "solver.clamp: must be true, which the plan was made for, but is false");
}

TEST(CompileErrors, NameTimesThatDifferFromThePlans) {
  Plan plan;
  plan.solver = test::settings_of("ddim", 2);
  plan.solver->times = {0.9, 0.5, 0};
  SolverSettings settings = test::settings_of("ddim", 2);
  expect_refused(plan,
                 "solver.times: must be a list of 3 times, which the plan was made for, but is 2 "
                 "steps on grid \"uniform\"",
                 small_model(), settings);
  settings.times = {0.9, 0.4, 0};
  expect_refused(plan, "solver.times[1]: must be 0.5, which the plan was made for, but is 0.4",
                 small_model(), settings);
}

TEST(CompileErrors, NameTheModelThatAPlanWasMadeFor) {
  Plan plan;
  plan.model = "model-b";
  expect_refused(
      plan,
      R"(model: must be "model-a", the model of this run, but is "model-b"; the plan was made for another model)");
}

TEST(CompileErrors, NameFactsThatContradictEachOther) {
  ModelFacts model = small_model();
  model.can_exit = {1};
  expect_refused({}, "model.can_exit: must have 4 entries, one per exit, but has 1", model);
  model = small_model();
  model.process.data_std = 0;
  expect_refused({}, "model.data_std: must be in [1e-06, 1e+06], but is 0", model);
  model.blocks = 0;
  expect_refused({}, "model.blocks: must be in [1, 255], but is 0", model);
  model = small_model();
  model.process.schedule = nullptr;
  EXPECT_THAT([&] { detail::compile({}, {}, {}, model); },
              ThrowsMessage<InvalidArgument>(HasSubstr("model.schedule: must be set")));
}

TEST(CompileErrors, NameAnEmptyTable) {
  EXPECT_THAT([] { detail::compile({}, {}, {}, small_model()); },
              ThrowsMessage<InvalidArgument>(
                  HasSubstr("solver: must write at least one evaluation, but wrote none")));
}

}  // namespace
}  // namespace adadiff
