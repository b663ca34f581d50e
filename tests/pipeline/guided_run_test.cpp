// Whole runs with a guide, against a network that is its own guide: nothing but full depth is asked
// of it.
#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "pipeline/pipeline_fixture.h"

namespace adadiff::test {
namespace {

using namespace std::chrono_literals;

constexpr int kExit = 2;
constexpr double kWeight = 1.75;

/// Its last head says g + (w - 1) (g - g_k).
class SelfGuided final : public Network {
 public:
  const NetworkInfo& info() const override { return network_.info(); }
  std::unique_ptr<ForwardPass> new_pass(const PassOptions& options) const override {
    return std::make_unique<Pass>(network_.new_pass(options), info().blocks);
  }

 private:
  class Pass final : public ForwardPass {
   public:
    Pass(std::unique_ptr<ForwardPass> pass, int blocks) : pass_(std::move(pass)), blocks_(blocks) {}
    void begin(const PassInputs& inputs) override {
      pass_->begin(inputs);
      all_ = at::arange(inputs.x.size(0), at::kLong);
      guide_ = at::empty_like(inputs.x);
      depth_ = 0;
    }
    void run_block(std::uint8_t) override {
      pass_->run_block(0);
      if (++depth_ == kExit) pass_->predict(all_, all_, guide_);
    }
    void score(const ScoreSink& sink) const override { pass_->score(sink); }
    void predict(const at::Tensor& rows, const at::Tensor& slots,
                 const at::Tensor& out) const override {
      if (depth_ != blocks_ || rows.size(0) != all_.size(0))
        throw std::logic_error("runs at full depth only");
      pass_->predict(rows, slots, out);
      const at::Tensor taken = out.index_select(0, slots);
      out.index_copy_(0, slots, taken + (kWeight - 1) * (taken - guide_));
    }
    void keep(const at::Tensor&, std::int64_t) override {
      throw std::logic_error("runs at full depth only");
    }

   private:
    std::unique_ptr<ForwardPass> pass_;
    int blocks_, depth_ = 0;
    at::Tensor all_, guide_;
  };

  PyramidNetwork network_{labelled()};
};

Plan guided_plan(double weight = kWeight) {
  return guided(full_depth(), {.exit = kExit, .weight = weight});
}

float largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  float largest = a.size() == b.size() ? 0 : INFINITY;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i)
    largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

/// Rounding of float32 over a few evaluations, whose images have values of about 1.
constexpr float kTolerance = 2e-5f;

class GuidedRun : public testing::TestWithParam<const char*> {
 protected:
  static Request request() {
    SolverSettings solver;
    solver.solver = GetParam();
    solver.steps = 5;
    // Five steps from the start of a cosine schedule are too long for it.
    if (solver.solver == "euler-maruyama") solver.times = {0.9, 0.8, 0.65, 0.45, 0.2, 0};
    return {.count = 5, .seed = 3, .labels = {0, 1, 2}, .solver = solver, .batch = 3};
  }
  const Sampled sampled = make_sampled();
  const Pipeline oracle = make_pipeline(std::make_shared<SelfGuided>(), six_steps());

  std::vector<float> images(Request request, const Plan& plan) const {
    request.plan = plan;
    return sampled.pipeline.generate(request).images.values;
  }
  std::vector<float> wanted(Request request) const {
    request.plan = full_depth();
    return oracle.generate(request).images.values;
  }
};

INSTANTIATE_TEST_SUITE_P(Solvers, GuidedRun,
                         testing::Values("ddim", "ddpm", "euler-maruyama", "dpmpp-2m", "heun"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST_P(GuidedRun, DrawsWhatASelfGuidedNetworkDraws) {
  EXPECT_LE(largest_difference(images(request(), guided_plan()), wanted(request())), kTolerance);
  EXPECT_GT(largest_difference(images(request(), full_depth()), wanted(request())),
            100 * kTolerance)
      << "or equality would say nothing";
}

TEST_P(GuidedRun, GuidesEachBranchBeforeTheLabelIsWeighed) {
  Request guided = request();
  guided.guidance = 2.5;
  EXPECT_LE(largest_difference(images(guided, guided_plan()), wanted(guided)), 4 * kTolerance);
}

TEST_P(GuidedRun, ClampsWhatTheGuideMadeOfTheImage) {
  Request clamped = request();
  clamped.solver->clamp = true;
  EXPECT_LE(largest_difference(images(clamped, guided_plan()), wanted(clamped)), kTolerance);
}

TEST_P(GuidedRun, WithWeightOneDrawsThePlainImagesBitForBit) {
  EXPECT_EQ(images(request(), guided_plan(1)), images(request(), full_depth()));
}

TEST_P(GuidedRun, DoesNotDependOnTheBatch) {
  Request alone = request();
  alone.batch = 1;
  EXPECT_EQ(images(alone, guided_plan()), images(request(), guided_plan()));
}

TEST(GuidedPreview, ShowsGuidedImages) {
  const Sampled sampled = make_sampled();
  const Pipeline oracle = make_pipeline(std::make_shared<SelfGuided>(), six_steps());
  adadiff::Run ours = sampled.pipeline.start({.plan = guided_plan()}),
               wanted = oracle.start({.plan = full_depth()});
  while (ours.advance(0ns) == Status::Working) {
    wanted.advance(0ns);
    ASSERT_LE(largest_difference(ours.preview(0).values, wanted.preview(0).values), kTolerance);
  }
}

Request early_request() {
  Plan plan = guided(exit_below(0.4f),
                     {.exit = kExit, .weight = kWeight, .fallback = GuideFallback::ExitBefore});
  return {.count = 7, .seed = 3, .labels = {0, 1, 2}, .guidance = 2.0, .plan = plan, .batch = 3};
}

TEST(GuidedReplay, RepeatsTheImagesUnderThePlansGuide) {
  const Sampled sampled = make_sampled();
  const Result result = sampled.pipeline.generate(early_request());
  Request again = early_request();
  again.plan = guided(fixed_exit(1, 4),
                      again.plan->rules[0].guide);  // whose thresholds the policy replaces
  again.policy = replay_policy(result.trace.exits());
  EXPECT_EQ(sampled.pipeline.generate(again).images.values, result.images.values);
  again.plan = full_depth();
  EXPECT_NE(sampled.pipeline.generate(again).images.values, result.images.values)
      << "without its guide";
}

TEST(GuidedBatches, MayBeSmallerAtTheEnd) {
  const Sampled sampled = make_sampled();
  Request request = early_request();
  request.plan = guided(exit_below(0.4f),
                        {.before = 2,
                         .weight = kWeight,
                         .fallback = GuideFallback::ExitBefore});  // keeps two at a time
  request.plan->branches = Branches::Independent;
  Request alone = request;
  alone.batch = 1;
  EXPECT_EQ(sampled.pipeline.generate(request).images.values,
            sampled.pipeline.generate(alone).images.values);
}

TEST(GuidedTrace, TellsWhoGuidedAndAtWhatWeight) {
  const Sampled sampled = make_sampled();
  const Trace trace = sampled.pipeline.generate(early_request()).trace;
  for (const EvaluationTrace& evaluation : trace.evaluations) {
    EXPECT_EQ(evaluation.guide_weight, kWeight);
    ASSERT_EQ(evaluation.guide.size(), evaluation.exit.size());
    for (std::size_t i = 0; i < evaluation.exit.size(); ++i) {
      EXPECT_EQ(evaluation.guide[i], evaluation.exit[i] > kExit ? kExit : evaluation.exit[i] - 1);
    }
  }
}

TEST(GuidedTrace, NamesNobodyWithoutAGuide) {
  const Sampled sampled = make_sampled();
  const Trace trace = sampled.pipeline.generate({.plan = guided_plan(1)}).trace;
  EXPECT_TRUE(trace.evaluations[0].guide.empty());
  EXPECT_EQ(trace.evaluations[0].guide_weight, 1);
}

TEST(GuidedTrace, CountsTheGuidesHeads) {
  const Sampled sampled = make_sampled();
  const Trace plain = sampled.pipeline.generate({.count = 3, .plan = full_depth()}).trace;
  const Trace guided = sampled.pipeline.generate({.count = 3, .plan = guided_plan()}).trace;
  EXPECT_EQ(guided.compute.heads - plain.compute.heads,
            3 * 6 * sampled.network->info().cost.head[kExit - 1]);
  EXPECT_EQ(guided.compute.full_depth, plain.compute.full_depth);
  EXPECT_GT(guided.full_evaluations(), plain.full_evaluations());
}

}  // namespace
}  // namespace adadiff::test
