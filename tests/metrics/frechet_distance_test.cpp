// What the Fréchet distance has to be where it can be said by hand.
#include "metrics/frechet_distance.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <adadiff/error.h>

namespace adadiff::detail {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

FeatureStatistics gaussian(const Eigen::VectorXd& mean, const Eigen::VectorXd& variances) {
  return {mean, Eigen::MatrixXd(variances.asDiagonal())};
}

TEST(FeatureStatistics, DividesByOneLessThanTheSamples) {
  const Features features{{1, 0}, {3, 0}, {5, 6}};
  const FeatureStatistics statistics = feature_statistics(features);
  EXPECT_EQ(statistics.mean, Eigen::Vector2d(3, 2));
  const Eigen::Matrix2d expected{{4, 6}, {6, 12}};
  EXPECT_TRUE(statistics.covariance.isApprox(expected, 1e-14)) << statistics.covariance;
}

TEST(FrechetDistance, IsZeroBetweenEqualSets) {
  const Features features = Features::Random(30, 5);
  EXPECT_NEAR(frechet_distance(feature_statistics(features), feature_statistics(features)), 0,
              1e-12);
}

TEST(FrechetDistance, IsTheSquaredShiftOfTheMean) {
  const Features features = Features::Random(30, 2);
  const Features shifted = features.rowwise() + Eigen::RowVector2d(3, 4);
  EXPECT_NEAR(frechet_distance(feature_statistics(features), feature_statistics(shifted)), 25,
              1e-12);
}

TEST(FrechetDistance, ComparesStandardDeviationsOfIndependentFeatures) {
  const Eigen::Vector3d mean(0, 0, 0);
  // (2-1)^2 + (3-3)^2 + (0-5)^2
  EXPECT_NEAR(frechet_distance(gaussian(mean, Eigen::Vector3d(4, 9, 0)),
                               gaussian(mean, Eigen::Vector3d(1, 9, 25))),
              26, 1e-12);
}

TEST(FrechetDistance, IsTheSameBothWays) {
  const FeatureStatistics a = feature_statistics(Features::Random(9, 20)),
                          b = feature_statistics(Features::Random(30, 20));
  EXPECT_NEAR(frechet_distance(a, b), frechet_distance(b, a), 1e-12);
}

TEST(FrechetDistance, OfFewSamplesIsThatOfTheirStatistics) {
  const GaussianReference reference(feature_statistics(Features::Random(30, 20)));
  const Features few = Features::Random(9, 20);
  EXPECT_NEAR(reference.distance(few), reference.distance(feature_statistics(few)), 1e-12);
}

TEST(FrechetDistance, TakesSetsWithoutAnySpread) {
  const Eigen::Vector2d zero(0, 0);
  EXPECT_EQ(frechet_distance(gaussian(zero, zero), gaussian(Eigen::Vector2d(1, 1), zero)), 2);
}

TEST(FrechetDistance, RefusesWhatIsNoCovariance) {
  const FeatureStatistics good = gaussian(Eigen::Vector2d(0, 0), Eigen::Vector2d(1, 1));
  FeatureStatistics bad = good;
  const auto measure = [&] { frechet_distance(good, bad); };
  bad.covariance(0, 1) = 0.5;
  EXPECT_THAT(measure, ThrowsMessage<InvalidArgument>(
                           "generated covariance: must be symmetric, but is not"));
  bad.covariance = Eigen::MatrixXd(Eigen::Vector2d(1, -1).asDiagonal());
  EXPECT_THAT(measure, ThrowsMessage<InvalidArgument>(
                           HasSubstr("must have no negative eigenvalue, but has -1")));
  bad.covariance = Eigen::MatrixXd::Identity(3, 3);
  EXPECT_THAT(measure, ThrowsMessage<InvalidArgument>(
                           HasSubstr("must be 2 x 2, as long as its mean, but is 3 x 3")));
  bad = gaussian(Eigen::Vector3d(0, 0, 0), Eigen::Vector3d(1, 1, 1));
  EXPECT_THAT(measure, ThrowsMessage<InvalidArgument>(HasSubstr(
                           "must have 2 numbers per sample, as the reference, but have 3")));
}

TEST(FrechetDistance, RefusesAMeanThatIsNotFinite) {
  FeatureStatistics bad = gaussian(Eigen::Vector2d(0, 0), Eigen::Vector2d(1, 1));
  bad.mean(0) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT([&] { GaussianReference(bad, "r.npz:"); },
              ThrowsMessage<InvalidArgument>(
                  "r.npz: mean: must hold finite numbers, but holds NaN or infinity"));
}

TEST(FeatureStatistics, RefusesFewSamplesAndNumbersThatAreNone) {
  EXPECT_THAT([] { feature_statistics(Features::Zero(1, 3)); },
              ThrowsMessage<InvalidArgument>("features: must have at least 2 samples, but has 1"));
  Features features = Features::Zero(4, 2);
  features(3, 1) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT([&] { feature_statistics(features); },
              ThrowsMessage<InvalidArgument>(
                  "features: must hold finite numbers, but holds NaN or infinity"));
}

}  // namespace
}  // namespace adadiff::detail
