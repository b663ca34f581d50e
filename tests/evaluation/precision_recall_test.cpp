// Manifolds on a line, where every ball can be seen.
#include "evaluation/precision_recall.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <adadiff/error.h>

namespace adadiff::detail {
namespace {

using ::testing::ThrowsMessage;

Features line(std::initializer_list<double> places) {
  Features features(std::ssize(places), 1);
  std::copy(places.begin(), places.end(), features.data());
  return features;
}

TEST(PrecisionRecall, CountsWhatLiesInTheOthersBalls) {
  // Balls of one neighbour: 0, 1, 2 reach 1 and 10 reaches 8; of the generated ones 1.5 and 2 reach 0.5, 30 reaches 28.
  const PrecisionRecall found = precision_recall(line({0, 1, 2, 10}), line({1.5, 2, 30}), 1);
  EXPECT_DOUBLE_EQ(found.precision, 2.0 / 3);
  EXPECT_DOUBLE_EQ(found.recall, 3.0 / 4);
}

TEST(PrecisionRecall, IncludesTheEdgeOfABall) {
  const PrecisionRecall found = precision_recall(line({0, 1}), line({2, 5}), 1);
  EXPECT_DOUBLE_EQ(found.precision, 1.0 / 2);
}

TEST(PrecisionRecall, IsOneBetweenEqualSets) {
  const Features features = Features::Random(50, 3);
  const PrecisionRecall found = precision_recall(features, features);
  EXPECT_EQ(found.precision, 1);
  EXPECT_EQ(found.recall, 1);
}

TEST(PrecisionRecall, SeesDuplicatesAsNeighbours) {
  // All balls have radius 0, so only an equal sample is covered.
  const PrecisionRecall found = precision_recall(line({4, 4, 4}), line({4, 4, 5}), 2);
  EXPECT_DOUBLE_EQ(found.precision, 2.0 / 3);
}

TEST(PrecisionRecall, NeedsMoreSamplesThanNeighbours) {
  EXPECT_THAT(
      [] {
        precision_recall(line({1, 2, 3, 4}), line({1, 2, 3}));
      },
      ThrowsMessage<InvalidArgument>("generated features: must have at least 4 samples, but has 3"));
}

}  // namespace
}  // namespace adadiff::detail
