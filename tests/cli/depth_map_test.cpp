// The picture of a trace.
#include "cli/depth_map.h"

#include <set>

#include <gtest/gtest.h>

#include <adadiff/error.h>

namespace adadiff::cli {
namespace {

Trace made_up_trace(int blocks, int evaluations, std::int64_t samples) {
  Trace trace;
  trace.blocks = blocks;
  trace.samples = samples;
  for (int i = 0; i < evaluations; ++i) {
    EvaluationTrace& evaluation = trace.evaluations.emplace_back();
    evaluation.evaluation = evaluation.step = i;
    for (std::int64_t k = 0; k < samples; ++k)
      evaluation.exit.push_back(static_cast<int>((i + k) % (blocks + 1)));
    evaluation.uncertainty.resize(static_cast<std::size_t>(samples));
  }
  return trace;
}

std::set<std::array<int, 3>> colors(const Images& image) {
  std::set<std::array<int, 3>> found;
  for (std::size_t i = 0; i < image.pixels.size(); i += 3)
    found.insert({image.pixels[i], image.pixels[i + 1], image.pixels[i + 2]});
  return found;
}

TEST(DepthMap, GivesEveryDepthAColor) {
  const Images map = draw_depth_map(made_up_trace(9, 20, 16));
  EXPECT_GE(colors(map).size(), 10U + 2U) << "ten depths, paper and ink";
}

TEST(DepthMap, ShowsUnfinishedSamplesInGrey) {
  Trace trace = made_up_trace(4, 3, 5);
  trace.evaluations[1].exit[2] = -1;
  EXPECT_EQ(colors(draw_depth_map(trace)).count({225, 225, 225}), 1U);
}

TEST(DepthMap, StaysOfModestSizeForLongTraces) {
  const Images map = draw_depth_map(made_up_trace(255, 2500, 900));
  EXPECT_LT(map.width, 2000);
  EXPECT_LT(map.height, 1500);
}

TEST(DepthMap, ShowsOneSampleOfOneStep) {
  const Images map = draw_depth_map(made_up_trace(1, 1, 1));
  EXPECT_GT(map.height, 10);
  EXPECT_EQ(map.channels, 3);
}

TEST(DepthMap, RefusesAnEmptyTrace) {
  try {
    draw_depth_map({});
    FAIL();
  } catch (const InvalidArgument& error) {
    EXPECT_NE(std::string(error.what()).find("depth map: must have samples and evaluations"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace adadiff::cli
