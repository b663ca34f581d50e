// The metrics against NumPy and SciPy on the same features (tests/golden/record_metrics.py).
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "metrics/frechet_distance.h"
#include "metrics/kernel_distance.h"
#include "metrics/paired_error.h"
#include "metrics/precision_recall.h"

namespace adadiff::detail {
namespace {

using nlohmann::json;

const json& golden() {
  static const json record = json::parse(std::ifstream(ADADIFF_TEST_DATA "/metrics.json"));
  return record;
}

Features features(const char* key) {
  const json& rows = golden().at(key);
  Features features(std::ssize(rows), std::ssize(rows[0]));
  for (Eigen::Index i = 0; i < features.rows(); ++i) {
    for (Eigen::Index j = 0; j < features.cols(); ++j)
      features(i, j) = rows[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
  }
  return features;
}

double frechet(const char* reference, const char* generated) {
  return frechet_distance(feature_statistics(features(reference)),
                          feature_statistics(features(generated)));
}

// Both sides work in double; sqrtm and the singular values each lose a few digits.
TEST(Golden, FrechetDistance) {
  EXPECT_NEAR(frechet("reference", "generated"), golden().at("frechet").get<double>(), 1e-9);
}

TEST(Golden, FrechetDistanceOfSingularCovariances) {
  EXPECT_NEAR(frechet("few_reference", "few_generated"), golden().at("few_frechet").get<double>(),
              1e-9);
}

TEST(Golden, KernelDistanceOnTheSameSubsets) {
  std::vector<KernelSubset> subsets;
  for (const json& subset : golden().at("subsets"))
    subsets.push_back({subset.at("reference"), subset.at("generated")});
  const KernelDistance distance = kernel_distance(features("reference"), features("generated"),
                                                  subsets);
  const auto mean = golden().at("kernel_mean").get<double>();
  EXPECT_NEAR(distance.mean, mean, 1e-9 * std::abs(mean));
  EXPECT_NEAR(distance.deviation, golden().at("kernel_deviation").get<double>(),
              1e-9 * std::abs(mean));
}

TEST(Golden, PrecisionAndRecall) {
  const PrecisionRecall found = precision_recall(features("reference"), features("generated"));
  EXPECT_EQ(found.precision, golden().at("precision").get<double>());
  EXPECT_EQ(found.recall, golden().at("recall").get<double>());
}

TEST(Golden, StructuralSimilarity) {
  const auto plane = [](const char* key) { return golden().at(key).get<std::vector<double>>(); };
  EXPECT_NEAR(structural_similarity(plane("first_plane"), plane("second_plane"), 13, 17),
              golden().at("similarity").get<double>(), 1e-12);
}

}  // namespace
}  // namespace adadiff::detail
