// The numbers of a comparison.
#include "tuning/comparison.h"

#include <chrono>
#include <cmath>
#include <thread>

#include <gtest/gtest.h>

namespace adadiff::detail {
namespace {

TEST(Comparison, TakesMedians) {
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 2, 3}), 2.5);
  EXPECT_TRUE(std::isnan(median({})));
}

TEST(Comparison, GivesNoEfficiencyWhereNothingIsSkipped) {
  Comparison comparison;
  comparison.wall_ms = {60};
  comparison.full_wall_ms = {100};
  comparison.adaptive.trace.compute = {.blocks = 48, .heads = 1, .scores = 1, .full_depth = 100};
  EXPECT_NEAR(comparison.time_saved(), 0.4, 1e-12);
  EXPECT_NEAR(comparison.exit_efficiency(), 0.8, 1e-12);
  comparison.adaptive.trace.compute.blocks = 94;
  EXPECT_TRUE(std::isnan(comparison.exit_efficiency()));
}

TEST(Comparison, TakesTheRatioWithinEachPair) {
  Comparison comparison;
  comparison.wall_ms = {60, 600, 80};  // the machine was slow during the second pair
  comparison.full_wall_ms = {100, 1000, 100};
  EXPECT_NEAR(comparison.time_saved(), 0.4, 1e-12);
}

ModelSummary one_pixel() {
  ModelSummary model;
  model.channels = model.height = model.width = 1;
  return model;
}

/// Answers at once but for full depth, whose images differ by 0.5 everywhere.
Result answer(const Request& request, const std::string&) {
  Result result;
  const bool is_full = request.plan == full_depth();
  if (is_full) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  result.images.count = result.images.channels = result.images.height = result.images.width = 1;
  result.images.values = {is_full ? 0.5F : 0.0F};
  return result;
}

TEST(Compare, RunsAWarmUpAndPairsThatAlternate) {
  std::string order;
  const auto run = [&order](const Request& request, const std::string& note) {
    order += request.plan == full_depth() ? "f" : "a";
    return answer(request, note);
  };
  const Comparison comparison = compare({.plan = exit_below(0.1F)}, 2, one_pixel(), run);
  EXPECT_EQ(order,
            "af"
            "fa"
            "af");
  ASSERT_EQ(comparison.wall_ms.size(), 2u);
  EXPECT_EQ(comparison.status, Status::Completed);
  EXPECT_GT(comparison.time_saved(), 0);
  EXPECT_NEAR(comparison.psnr_db, 10 * std::log10(16.0), 1e-6);  // 0.5 of a range of 2
}

TEST(Compare, KeepsThePairsThatEndedWhenItIsStopped) {
  int runs = 0;
  const Comparison comparison = compare({.plan = exit_below(0.1F)}, 7, one_pixel(),
                                        [&runs](const Request& request, const std::string& note) {
                                          if (++runs == 6)
                                            throw Stopped{};  // within the second pair
                                          return answer(request, note);
                                        });
  EXPECT_EQ(comparison.status, Status::Cancelled);
  EXPECT_EQ(comparison.wall_ms.size(), 1u);
  EXPECT_EQ(comparison.full_wall_ms.size(), 1u);
}

TEST(Compare, HasNoNumbersWhereItIsStoppedBeforeTheFirstPair) {
  const Comparison comparison = compare(
      {}, 7, {}, [](const Request&, const std::string&) -> Result { throw Stopped{}; });
  EXPECT_EQ(comparison.status, Status::Cancelled);
  EXPECT_TRUE(std::isnan(comparison.time_saved()));
  EXPECT_TRUE(std::isnan(comparison.psnr_db));
  EXPECT_TRUE(std::isnan(comparison.median_wall_ms()));
}

TEST(Compare, TakesFullDepthAlongThePathOfTheRequestsPlan) {
  ModelSummary model = one_pixel();
  model.default_solver.steps = 50;
  Plan plan = exit_below(0.1F);
  plan.solver = SolverSettings{.solver = "dpmpp-2m", .steps = 9};
  compare({.plan = plan}, 1, model, [&plan](const Request& request, const std::string& note) {
    if (request.plan == full_depth()) {
      EXPECT_EQ(request.solver, plan.solver);
    }
    return answer(request, note);
  });
}

}  // namespace
}  // namespace adadiff::detail
