// Everything that sampling does at once, over a network that is no U-ViT: nothing above networks
// knows more than adadiff/network.h.
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "pipeline/pipeline_fixture.h"

namespace adadiff::test {
namespace {

using namespace std::chrono_literals;

class AnyNetwork : public testing::TestWithParam<const char*> {
 protected:
  /// Guidance, thresholds that differ by time and exit, batches of which the last is smaller.
  Request request() const {
    Plan plan;
    plan.rules = {{.until = 0.5, .below = {kNever, 0.6f, 0.3f, 0.4f}},
                  {.below = {kNever, 0.6f, 0.5f, kNever}}};
    SolverSettings solver;
    solver.solver = GetParam();
    solver.steps = 5;
    return {.count = 7,
            .seed = 3,
            .labels = {0, 1, 2},
            .guidance = 2.0,
            .plan = plan,
            .solver = solver,
            .batch = 3};
  }
};

INSTANTIATE_TEST_SUITE_P(Solvers, AnyNetwork, testing::Values("dpmpp-2m", "heun"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST_P(AnyNetwork, IsGuidedExitedAndTraced) {
  const Sampled sampled = make_sampled();
  const Result result = sampled.pipeline.generate(request());
  EXPECT_EQ(result.status, Status::Completed);
  EXPECT_EQ(result.images.count, 7);
  for (const float value : result.images.values) ASSERT_TRUE(std::isfinite(value));

  std::set<int> seen;
  std::int64_t exits = 0, blocks = 0;
  for (const EvaluationTrace& evaluation : result.trace.evaluations) {
    ASSERT_EQ(evaluation.exit.size(), 14u);
    seen.insert(evaluation.exit.begin(), evaluation.exit.end());
    for (const int exit : evaluation.exit) exits += exit;
  }
  for (const auto& rows : sampled.network->ran().blocks) blocks += rows;
  EXPECT_EQ(seen, (std::set<int>{1, 2, 3, 4}));
  EXPECT_EQ(exits, blocks) << "the trace tells what the network ran";
}

TEST_P(AnyNetwork, IsPreviewedUpToItsImage) {
  const Sampled sampled = make_sampled();
  adadiff::Run run = sampled.pipeline.start(request());
  std::set<std::vector<float>> previews;
  while (run.advance(0ns) == Status::Working) previews.insert(run.preview(0).values);
  const std::vector<float> last = run.preview(0).values;
  const Images images = run.finish().images;
  EXPECT_EQ(
      std::vector<float>(images.values.begin(),
                         images.values.begin() + images.channels * images.height * images.width),
      last);
  EXPECT_GE(previews.size(), 5u) << "the start, the steps, the image";
}

TEST_P(AnyNetwork, IsReplayedToTheSameBits) {
  const Sampled sampled = make_sampled();
  const Result result = sampled.pipeline.generate(request());
  Request again = request();
  again.plan.reset();
  again.policy = replay_policy(result.trace.exits());
  again.batch = 7;
  EXPECT_EQ(sampled.pipeline.generate(again).images.values, result.images.values);
  EXPECT_NE(sampled.pipeline
                .generate({.count = 7,
                           .seed = 3,
                           .labels = {0, 1, 2},
                           .guidance = 2.0,
                           .solver = request().solver})
                .images.values,
            result.images.values)
      << "exits change images, or equal bits would say nothing";
}

}  // namespace
}  // namespace adadiff::test
