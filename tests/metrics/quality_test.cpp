// Which metrics come out of what is known.
#include "metrics/quality.h"

#include <gmock/gmock.h>

#include <cmath>

#include <adadiff/error.h>

namespace adadiff::detail {
namespace {

Features some_features(Eigen::Index rows, unsigned seed) {
  std::srand(seed);
  return Features::Random(rows, 3);
}

TEST(Quality, KnowsOnlyTheFrechetDistanceFromStatistics) {
  RealFeatures real;
  real.gaussian.emplace(feature_statistics(some_features(20, 1)));
  const Quality quality = measure_quality(real, some_features(20, 2), {});
  EXPECT_TRUE(quality.frechet.has_value());
  EXPECT_FALSE(quality.kernel || quality.manifold || quality.grouped_kernel ||
               quality.grouped_frechet);
}

TEST(Quality, KnowsTheOthersFromFeatures) {
  RealFeatures real;
  real.features = some_features(20, 1);
  const Quality quality = measure_quality(real, some_features(15, 2), {.groups = 5});
  EXPECT_FALSE(quality.frechet);
  EXPECT_TRUE(quality.kernel && quality.manifold && quality.grouped_kernel);
  EXPECT_EQ(quality.subset_size, 7);
}

TEST(Quality, LeavesPrecisionOutForTooFewImages) {
  RealFeatures real;
  real.features = some_features(20, 1);
  EXPECT_FALSE(measure_quality(real, some_features(3, 2), {}).manifold);
}

TEST(Quality, KnowsADeviationOnlyOfSubsetsSmallerThanBothSets) {
  RealFeatures real;
  real.features = some_features(20, 1);
  const Features generated = some_features(15, 2);
  EXPECT_GT(measure_quality(real, generated, {.subsets = {10, 8}}).kernel->deviation, 0);
  EXPECT_TRUE(
      std::isnan(measure_quality(real, generated, {.subsets = {10, 15}}).kernel->deviation));
}

TEST(CheckQuality, RefusesWhatCouldNotBeComputed) {
  const auto refusal = [](Eigen::Index references, std::int64_t samples, int groups) {
    RealFeatures real;
    real.features = some_features(references, 1);
    return [=] { check_quality(real, samples, {.groups = groups}); };
  };
  using testing::HasSubstr;
  EXPECT_THAT(refusal(1, 20, 0), testing::ThrowsMessage<InvalidArgument>(
                                     HasSubstr("reference: must be of at least 2 images")));
  EXPECT_THAT(refusal(20, 1, 0), testing::ThrowsMessage<InvalidArgument>(
                                     HasSubstr("samples: must be at least 2 for a distance")));
  EXPECT_THAT(refusal(20, 9, 5), testing::ThrowsMessage<InvalidArgument>(
                                     HasSubstr("samples: must be at least 10 for groups of them")));
  EXPECT_THAT(refusal(20, 20, 4), testing::ThrowsMessage<InvalidArgument>(
                                      HasSubstr("groups: must be in [5, 10], but is 4")));
  EXPECT_NO_THROW(check_quality({}, 1, {}));
}

TEST(ClassesOfLabels, GoByNameWhereBothSidesHaveNames) {
  EXPECT_EQ(classes_of_labels({0, 1, 0}, {"shoe", "bag"}, {"bag", "hat", "shoe"}),
            (std::vector<std::int64_t>{2, 0, 2}));
  EXPECT_EQ(classes_of_labels({0}, {"T-shirt/top"}, {"bag", "T-shirt_top"}),
            (std::vector<std::int64_t>{1}));
  EXPECT_EQ(classes_of_labels({0, 1}, {}, {"bag", "hat"}), (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(classes_of_labels({0, 1}, {"shoe", "bag"}, {}), (std::vector<std::int64_t>{0, 1}));
}

TEST(ClassesOfLabels, AreNoneWhereANameIsUnknown) {
  EXPECT_FALSE(classes_of_labels({0, 1}, {"shoe", "bag"}, {"bag", "hat"}));
  EXPECT_FALSE(classes_of_labels({2}, {"shoe", "bag"}, {"bag", "shoe"}));
}

TEST(ClassAgreement, CyclesThroughLabels) {
  EXPECT_EQ(class_agreement({0, 1, 1, 1}, {0, 1}), 0.75);
  EXPECT_THROW(class_agreement({}, {0}), InvalidArgument);
}

TEST(Doubts, AreNamedWhereAMeasurementRestsOnLittle) {
  using testing::ElementsAre;
  using testing::HasSubstr;
  EXPECT_THAT(doubts({.samples = 30, .references = 40, .dimensions = 20}),
              ElementsAre(HasSubstr("30 generated and 40 real images say little")));
  EXPECT_THAT(doubts({.samples = 600, .references = 4000, .dimensions = 2048}),
              ElementsAre(HasSubstr("fewer generated images than the 2048 features")));
  EXPECT_THAT(doubts({.samples = 600, .references = 4000, .dimensions = 128, .accuracy = 0.449}),
              ElementsAre(HasSubstr("45 % of its test images only")));
}

TEST(Doubts, AreNoneOfAUsualMeasurement) {
  EXPECT_TRUE(
      doubts({.samples = 1000, .references = 10000, .dimensions = 128, .accuracy = 0.93}).empty());
  EXPECT_TRUE(doubts({.samples = 10}).empty()) << "nothing is compared";
}

}  // namespace
}  // namespace adadiff::detail
