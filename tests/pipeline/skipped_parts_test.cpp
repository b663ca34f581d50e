// Plans that leave out parts of blocks.
#include <gtest/gtest.h>

#include "pipeline/pipeline_fixture.h"

namespace adadiff::test {
namespace {

PyramidOptions skipping(std::uint8_t parts = 3) {
  PyramidOptions options = labelled();
  options.skippable = parts;
  return options;
}

Request with_skip(std::vector<std::uint8_t> skip) {
  Plan plan = full_depth();
  plan.rules[0].skip = std::move(skip);
  return {.count = 2, .labels = {0}, .guidance = 1.0, .plan = plan};
}

TEST(SkippedParts, ChangeTheImagesAndOneEntryStandsForAllBlocks) {
  const Sampled sampled = make_sampled(skipping());
  const auto images = [&sampled](std::vector<std::uint8_t> skip) {
    return sampled.pipeline.generate(with_skip(std::move(skip))).images.values;
  };
  EXPECT_EQ(images({1}), images({1, 1, 1, 1}));
  EXPECT_EQ(images({0, 0, 0, 0}), images({}));
  EXPECT_NE(images({0, 1, 0, 0}), images({}));
  EXPECT_NE(images({0, 1, 0, 0}), images({0, 2, 0, 0}));
}

TEST(SkippedParts, CostWhatTheNetworkSaysTheySave) {
  const Sampled sampled = make_sampled(skipping());
  const double whole = sampled.pipeline.generate(with_skip({})).trace.compute.blocks;
  // 6 evaluations of 2 rows; attention of block k costs 40 + k, the MLP 50.
  EXPECT_EQ(sampled.pipeline.generate(with_skip({1, 0, 3, 0})).trace.compute.blocks,
            whole - 12 * (40 + 42 + 50));
}

TEST(SkippedParts, AreRefusedWhereTheNetworkCannotLeaveThemOut) {
  const Sampled sampled = make_sampled(skipping(1));
  EXPECT_EQ(refusal([&] {
              sampled.pipeline.start(with_skip({0, 2, 0, 0}));
            }),
            "rules[0].skip[1]: must be 0 or 1, but is 2; the network cannot leave out other parts "
            "of its blocks");
  EXPECT_EQ(refusal([&] {
              sampled.pipeline.start(with_skip({1, 0}));
            }),
            "rules[0].skip: must have 1 entry or 4, one per block, but has 2");
}

TEST(Precision, ThatTheNetworkDoesNotRunInIsRefused) {
  Request request = with_skip({});
  request.plan->rules[0].precision = Precision::BFloat16;
  EXPECT_EQ(refusal([&] { make_sampled().pipeline.start(request); }),
            "rules[0].precision: must be one of float32, but is bfloat16; the network does not run "
            "in other types here, or is slower in them than in float32");
}

}  // namespace
}  // namespace adadiff::test
