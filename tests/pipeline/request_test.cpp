// Every way in which a request or a description can be wrong, by its message; and what is chosen
// where nothing is said.
#include <cmath>

#include <gtest/gtest.h>

#include "pipeline/pipeline_fixture.h"

namespace adadiff::test {
namespace {

std::string refused(const Request& request) {
  const Sampled sampled = make_sampled();
  return refusal([&] { sampled.pipeline.start(request); });
}

PyramidOptions unlabelled() {
  PyramidOptions options;
  options.blocks = 4;
  return options;
}

TEST(Request, RefusesCountsOutOfRange) {
  EXPECT_EQ(refused({.count = 0}), "Request.count: must be in [1, 1000000], but is 0");
  EXPECT_EQ(refused({.count = 1'000'001}),
            "Request.count: must be in [1, 1000000], but is 1000001");
}

TEST(Request, RefusesABatchOutOfRange) {
  EXPECT_EQ(refused({.threads = -1}), "Request.threads: must be in [0, 1024], but is -1");
  EXPECT_EQ(refused({.batch = -1}), "Request.batch: must be in [0, 1000000], but is -1");
}

TEST(Request, RefusesLabelsOutOfRange) {
  EXPECT_EQ(refused({.labels = {0, 4}}), "Request.labels[1]: must be in [0, 3], but is 4");
  EXPECT_EQ(refused({.labels = {-1}}), "Request.labels[0]: must be in [0, 3], but is -1");
}

TEST(Request, RefusesLabelsForANetworkWithoutThem) {
  const Sampled sampled = make_sampled(unlabelled());
  EXPECT_EQ(refusal([&] { sampled.pipeline.start({.labels = {0}}); }),
            "Request.labels: must be empty for a network that takes no labels, but has 1 entries");
}

TEST(Request, RefusesGuidanceOutOfRange) {
  EXPECT_EQ(refused({.guidance = -0.5}), "Request.guidance: must be in [0, 100], but is -0.5");
  EXPECT_EQ(refused({.guidance = NAN}), "Request.guidance: must be in [0, 100], but is nan");
}

TEST(Request, RefusesGuidanceWithoutANoLabelClass) {
  const Sampled sampled = make_sampled(unlabelled());
  EXPECT_EQ(refusal([&] { sampled.pipeline.start({.guidance = 2.0}); }),
            "Request.guidance: must be 1 with a network that has no \"no label\" class, but is 2");
  EXPECT_EQ(refusal([&] { sampled.pipeline.start({.guidance = 1.0}); }), "accepted");
}

TEST(Request, RefusesNoiseOfTheWrongSize) {
  EXPECT_EQ(refused({.count = 2, .initial_noise = {1, 2, 3}}),
            "Request.initial_noise: must have 2 x 1 x 8 x 8 = 128 values, but has 3");
  EXPECT_EQ(refused({.start_image = {1, 2, 3}, .start_time = 0.5}),
            "Request.start_image: must have 1 x 1 x 8 x 8 = 64 values, but has 3");
}

TEST(Request, RefusesNoiseThatIsNotFinite) {
  Request request;
  request.initial_noise.assign(64, 0.0f);
  request.initial_noise[17] = NAN;
  EXPECT_EQ(refused(request), "Request.initial_noise[17]: must be finite, but is nan");
}

TEST(Request, RefusesStartImageAndStartTimeWithoutEachOther) {
  EXPECT_EQ(refused({.start_image = std::vector<float>(64)}),
            "Request.start_time: must be set for a start image, but is not set");
  EXPECT_EQ(refused({.start_time = 0.5}),
            "Request.start_image: must be given for a start time, but is empty");
}

TEST(Request, RefusesStartTimesOutOfRange) {
  EXPECT_EQ(refused({.start_image = std::vector<float>(64), .start_time = 0.0}),
            "Request.start_time: must be in (0, 1], but is 0");
  EXPECT_EQ(refused({.start_image = std::vector<float>(64), .start_time = 1.5}),
            "Request.start_time: must be in (0, 1], but is 1.5");
}

TEST(Request, RefusesAStartTimeThatIsNotTheFirstOfOwnTimes) {
  SolverSettings solver;
  solver.times = {0.8, 0.4, 0};
  const Request request{.solver = solver, .start_image = std::vector<float>(64), .start_time = 0.5};
  EXPECT_EQ(refused(request),
            "Request.start_time: must be 0.8, the first of the solver's own times, but is 0.5");
}

TEST(Request, RefusesSolverSettingsOutOfRange) {
  SolverSettings solver;
  solver.steps = 0;
  EXPECT_NE(
      refused({.solver = solver}).find("Request.solver.steps: must be in [1, 10000], but is 0"),
      std::string::npos);
  solver.steps = 5;
  solver.solver = "magic";
  EXPECT_NE(refused({.solver = solver}).find("Request.solver.name"), std::string::npos);
}

TEST(Request, RefusesASolverOtherThanThePlans) {
  Plan plan = exit_below(0.5f);
  plan.solver = SolverSettings{};
  SolverSettings other;
  other.steps = 7;
  EXPECT_NE(refused({.plan = plan, .solver = other}).find("steps: must be 50"), std::string::npos);
}

TEST(Request, RefusesAPlanThatDoesNotFitTheNetwork) {
  EXPECT_NE(refused({.plan = fixed_exit(3, 9)}).find("rules[0].below"), std::string::npos);
}

TEST(Choice, PlanBringsItsSolver) {
  const Sampled sampled = make_sampled();
  Plan plan = full_depth();
  plan.solver = SolverSettings{};
  plan.solver->steps = 3;
  EXPECT_EQ(sampled.pipeline.generate({.plan = plan}).trace.evaluations.size(), 3u);
}

TEST(Choice, ModelsSolverIsTheLastResort) {
  EXPECT_EQ(make_sampled().pipeline.generate({}).trace.evaluations.size(), 6u);
}

TEST(Choice, DefaultPlanRunsWhereItsSolverAgrees) {
  SamplerModel model = six_steps();
  model.default_plan = fixed_exit(2, 4);
  model.default_plan.solver = model.solver;
  const Sampled sampled = make_sampled(labelled(), model);
  EXPECT_EQ(sampled.pipeline.generate({}).trace.mean_exit_depth(), 2);
  EXPECT_EQ(sampled.pipeline.generate({.solver = model.solver}).trace.mean_exit_depth(), 2);
}

TEST(Choice, FullDepthRunsWhereTheDefaultPlansSolverDiffers) {
  SamplerModel model = six_steps();
  model.default_plan = fixed_exit(2, 4);
  model.default_plan.solver = model.solver;
  SolverSettings other = model.solver;
  other.steps = 5;
  const Trace trace = make_sampled(labelled(), model).pipeline.generate({.solver = other}).trace;
  EXPECT_EQ(trace.mean_exit_depth(), 4);
  EXPECT_EQ(trace.evaluations.size(), 5u);
}

TEST(Choice, DefaultPlanWithoutASolverRunsWithAny) {
  SamplerModel model = six_steps();
  model.default_plan = fixed_exit(2, 4);
  SolverSettings other = model.solver;
  other.steps = 5;
  EXPECT_EQ(
      make_sampled(labelled(), model).pipeline.generate({.solver = other}).trace.mean_exit_depth(),
      2);
}

TEST(Request, RefusesATraceLargerThanAnyMemory) {
  SolverSettings solver;
  solver.steps = 10000;
  EXPECT_NE(refused({.count = 1'000'000, .solver = solver})
                .find("Request.count: must need at most 68719476736 bytes"),
            std::string::npos);
}

TEST(Choice, PolicyReplacesThresholdsOfAnyPlan) {
  const Sampled sampled = make_sampled();
  const Request request{.plan = fixed_exit(1, 4),
                        .policy = replay_policy({{3}, {3}, {3}, {3}, {3}, {3}})};
  EXPECT_EQ(sampled.pipeline.generate(request).trace.mean_exit_depth(), 3);
}

TEST(Choice, LabelsCycleAndDefaultToTheNoLabelClass) {
  std::vector<std::int64_t> seen;
  PyramidOptions options = labelled();
  options.score = [&seen](const ScoreQuestion& question) {
    seen.push_back(question.label);
    return 0.0f;
  };
  const Sampled sampled = make_sampled(options);
  sampled.pipeline.generate({.count = 3, .labels = {2, 0}, .plan = exit_below(0.5f)});
  EXPECT_EQ(std::vector<std::int64_t>(seen.begin(), seen.begin() + 3),
            (std::vector<std::int64_t>{2, 0, 2}));
  seen.clear();
  sampled.pipeline.generate({.plan = exit_below(0.5f)});
  EXPECT_EQ(seen[0], 3);
}

TEST(Choice, LabelsCountUpWithoutANoLabelClass) {
  std::vector<std::int64_t> seen;
  PyramidOptions options = labelled();
  options.null_label = -1;
  options.score = [&seen](const ScoreQuestion& question) {
    seen.push_back(question.label);
    return 0.0f;
  };
  make_sampled(options).pipeline.generate({.count = 5, .plan = exit_below(0.5f)});
  EXPECT_EQ(std::vector<std::int64_t>(seen.begin(), seen.begin() + 5),
            (std::vector<std::int64_t>{0, 1, 2, 3, 0}));
}

TEST(Choice, GuidanceWithoutALabelRunsOneBranch) {
  const Sampled sampled = make_sampled();
  for (const std::vector<std::int64_t>& labels : {std::vector<std::int64_t>{}, {3}, {3, 3}}) {
    const Result result = sampled.pipeline.generate(
        {.count = 2, .labels = labels, .guidance = 2.0});
    EXPECT_EQ(result.trace.branches, 1);
    EXPECT_EQ(result.images.values, sampled.pipeline.generate({.count = 2}).images.values);
  }
  EXPECT_EQ(
      sampled.pipeline.generate({.count = 2, .labels = {3, 0}, .guidance = 2.0}).trace.branches, 2);
}

TEST(Choice, DefaultGuidanceNeedsLabels) {
  SamplerModel model = six_steps();
  model.default_guidance = 3;
  const Sampled sampled = make_sampled(labelled(), model);
  EXPECT_EQ(sampled.pipeline.generate({}).trace.branches, 1);
  EXPECT_EQ(sampled.pipeline.generate({.labels = {1}}).trace.branches, 2);
  EXPECT_EQ(sampled.pipeline.generate({.labels = {0}, .guidance = 2.0}).trace.branches, 2);
}

template <class Change>
std::string refused_model(Change change) {
  SamplerModel model = six_steps();
  change(model);
  return refusal([&] { make_sampled(labelled(), model); });
}

TEST(MakePipeline, RefusesDescriptionsThatContradictThemselves) {
  EXPECT_EQ(refusal([] { make_pipeline(nullptr, {}); }),
            "make_pipeline.network: must be set, but is null");
  EXPECT_EQ(refused_model([](auto& m) { m.process.schedule = nullptr; }),
            "SamplerModel.process.schedule: must be set, but is null");
  EXPECT_EQ(refused_model([](auto& m) { m.process.time_scale = INFINITY; }),
            "SamplerModel.process.time_scale: must be finite, but is inf");
  EXPECT_EQ(refused_model([](auto& m) { m.process.image_min = 2; }),
            "SamplerModel.process.image_min: must be below image_max = 1, but is 2");
  EXPECT_NE(refused_model([](auto& m) {
              m.process.data_std = 0;
            }).find("SamplerModel.process.data_std: must be in ["),
            std::string::npos);
  EXPECT_EQ(refused_model([](auto& m) { m.default_guidance = -1; }),
            "SamplerModel.default_guidance: must be in [0, 100], but is -1");
  EXPECT_NE(refused_model([](auto& m) { m.solver.eta = 2; }).find("SamplerModel.solver.eta"),
            std::string::npos);
  EXPECT_NE(
      refused_model([](auto& m) { m.default_plan = fixed_exit(2, 9); }).find("rules[0].below"),
      std::string::npos);
}

TEST(MakePipeline, RefusesDefaultGuidanceWithoutANoLabelClass) {
  SamplerModel model = six_steps();
  model.default_guidance = 2;
  EXPECT_EQ(refusal([&] { make_sampled(unlabelled(), model); }),
            "SamplerModel.default_guidance: must be 1 with a network that has no \"no label\" "
            "class, but is 2");
}

/// A network that says what the test wants and never runs.
struct Claims final : Network {
  NetworkInfo claims;
  const NetworkInfo& info() const override { return claims; }
  std::unique_ptr<ForwardPass> new_pass(const PassOptions&) const override { return nullptr; }
};

template <class Change>
std::string refused_info(Change change) {
  auto network = std::make_shared<Claims>();
  network->claims = PyramidNetwork(labelled()).info();
  change(network->claims);
  return refusal([&] { make_pipeline(network, six_steps()); });
}

TEST(MakePipeline, RefusesNetworksThatContradictThemselves) {
  EXPECT_EQ(refused_info([](auto& i) { i.blocks = 0; }),
            "NetworkInfo.blocks: must be in [1, 255], but is 0");
  EXPECT_EQ(refused_info([](auto& i) { i.channels = 0; }),
            "NetworkInfo.channels: must be in [1, 65536], but is 0");
  EXPECT_EQ(refused_info([](auto& i) { i.null_label = 4; }),
            "NetworkInfo.null_label: must be in [-1, 3], but is 4");
  EXPECT_EQ(refused_info([](auto& i) { i.can_exit = {}; }),
            "NetworkInfo.can_exit: must have 4 entries, one per block, but has 0");
  EXPECT_EQ(refused_info([](auto& i) { i.cost.head = {}; }),
            "NetworkInfo.cost.head: must have 4 entries, one per block, but has 0");
  EXPECT_EQ(refused_info([](auto& i) { i.channels = i.height = i.width = 65536; }),
            "NetworkInfo.channels x height x width: must be at most 1073741824, but is 65536 x "
            "65536 x 65536");
}

/// What a request for images of this size is answered with.
std::string refused_size(std::int64_t channels, std::int64_t side, const Request& request) {
  auto network = std::make_shared<Claims>();
  network->claims = PyramidNetwork(labelled()).info();
  network->claims.channels = channels;
  network->claims.height = network->claims.width = side;
  const Pipeline pipeline = make_pipeline(network, six_steps());
  return refusal([&] { pipeline.start(request); });
}

TEST(Request, RefusesABatchThatNoMachineShouldHold) {
  EXPECT_EQ(refused_size(64, 4096, {}),
            "Request.batch: must need at most 8589934592 bytes, but needs 17179869184 with count "
            "1, batch 1 and images of 64 x 4096 x 4096; "
            "ask for fewer");
  EXPECT_NE(refused_size(64, 4096, {.count = 1'000'000, .batch = 1'000'000})
                .find("needs 17179869184000000 with"),
            std::string::npos);
}

TEST(Request, CountsWhatGuidesKeep) {
  const Plan plan = guided(full_depth(), {.exit = 1, .weight = 2});
  EXPECT_NE(refused_size(64, 4096, {.plan = plan}).find("needs 21474836480 with"),
            std::string::npos)
      << "one image more per sample";
  const std::string plain = refused_size(3, 1024, {.count = 1'000'000}),
                    with = refused_size(3, 1024, {.count = 1'000'000, .plan = plan});
  EXPECT_NE(plain.find("needs 12582960000000 with"), std::string::npos);
  EXPECT_NE(with.find("needs 12582984000000 with"), std::string::npos)
      << "4 bytes more per sample and each of 6 evaluations";
}

TEST(Request, RefusesMoreImagesThanFitIntoMemory) {
  EXPECT_EQ(refused_size(3, 1024, {.count = 1'000'000}),
            "Request.count: must need at most 68719476736 bytes, but needs 12582960000000 with "
            "count 1000000, batch 64 and images of 3 x "
            "1024 x 1024; ask for fewer");
}

TEST(Summary, CountsClassesWithoutTheNoLabelOne) {
  const ModelSummary summary = make_sampled().pipeline.model();
  EXPECT_EQ(summary.classes, 3);
  EXPECT_EQ(summary.network, "pyramid");
  EXPECT_EQ(summary.exits, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(summary.macs_full_depth, 10 + 100 + 101 + 102 + 103 + 23);
}

}  // namespace
}  // namespace adadiff::test
