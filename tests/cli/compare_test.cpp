// The numbers of a comparison, and how durations are written.
#include "cli/compare.h"

#include <cmath>

#include <gtest/gtest.h>

#include "cli/terminal/output.h"

namespace adadiff::cli {
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

TEST(Duration, ReadsAsPeopleSayIt) {
  EXPECT_EQ(duration(850), "850 ms");
  EXPECT_EQ(duration(12340), "12.3 s");
  EXPECT_EQ(duration(245000), "4 min 5 s");
  EXPECT_EQ(duration(7380000), "2 h 3 min");
}

}  // namespace
}  // namespace adadiff::cli
