// Manifolds on a line, where every ball can be seen.
#include "metrics/precision_recall.h"

#include <algorithm>
#include <vector>

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
  // Balls of one neighbour: 0, 1, 2 reach 1 and 10 reaches 8; of the generated ones 1.5 and 2 reach
  // 0.5, 30 reaches 28.
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

/// By the definition, one pair after the other.
double plain_coverage(const Features& samples, const Features& centres, int neighbours) {
  int covered = 0;
  for (Eigen::Index i = 0; i < samples.rows(); ++i) {
    bool found = false;
    for (Eigen::Index centre = 0; centre < centres.rows() && !found; ++centre) {
      std::vector<double> others;
      for (Eigen::Index j = 0; j < centres.rows(); ++j) {
        if (j != centre) others.push_back((centres.row(centre) - centres.row(j)).squaredNorm());
      }
      std::sort(others.begin(), others.end());
      found = (samples.row(i) - centres.row(centre)).squaredNorm() <=
              others[static_cast<std::size_t>(neighbours - 1)];
    }
    covered += found ? 1 : 0;
  }
  return static_cast<double>(covered) / static_cast<double>(samples.rows());
}

TEST(PrecisionRecall, IsThatOfPlainDistancesOverSeveralBlocks) {
  const Features reference = Features::Random(150, 5), generated = Features::Random(90, 5) * 0.8;
  const PrecisionRecall found = precision_recall(reference, generated);
  EXPECT_EQ(found.precision, plain_coverage(generated, reference, 3));
  EXPECT_EQ(found.recall, plain_coverage(reference, generated, 3));
}

// Products of numbers around 1e8 are off by more than the squared distances between them, which are
// below 1.
TEST(PrecisionRecall, IsThatOfPlainDistancesWhereProductsCancel) {
  const Features offset = Features::Constant(70, 2, 1e8);
  const Features reference = offset + Features::Random(70, 2) * 0.5,
                 generated = offset + Features::Random(70, 2) * 0.4;
  const PrecisionRecall found = precision_recall(reference, generated);
  EXPECT_EQ(found.precision, plain_coverage(generated, reference, 3));
  EXPECT_EQ(found.recall, plain_coverage(reference, generated, 3));
}

TEST(PrecisionRecall, IsDefinedWhereSquaresOverflow) {
  // Distances of 0 or infinity: a ball around a number that occurs often enough holds it alone, any
  // other ball holds everything.
  const Features huge = line({1e200, 1e200, 1e200, -1e200, 2e200});
  const PrecisionRecall found = precision_recall(huge, line({1e200, 1e200, 1e200, 1e200}), 2);
  EXPECT_EQ(found.precision, 1);
  EXPECT_EQ(found.recall, 3.0 / 5);
}

TEST(PrecisionRecall, NeedsMoreSamplesThanNeighbours) {
  EXPECT_THAT(
      [] {
        precision_recall(line({1, 2, 3, 4}), line({1, 2, 3}));
      },
      ThrowsMessage<InvalidArgument>(
          "generated features: must have at least 4 samples, but has 3"));
}

}  // namespace
}  // namespace adadiff::detail
