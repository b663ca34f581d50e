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
  const ModelSummary model{.channels = 1, .height = 1, .width = 1};
  std::string order;
  const auto run = [&order](const Request& request, const std::string& note) {
    order += request.plan == full_depth() ? "f" : "a";
    return answer(request, note);
  };
  const Comparison comparison = compare({.plan = exit_below(0.1F)}, 2, model, run);
  EXPECT_EQ(order,
            "af"
            "fa"
            "af");
  ASSERT_EQ(comparison.wall_ms.size(), 2u);
  EXPECT_GT(comparison.time_saved(), 0);
  EXPECT_NEAR(comparison.psnr_db, 10 * std::log10(16.0), 1e-6);  // 0.5 of a range of 2
}

}  // namespace
}  // namespace adadiff::detail
