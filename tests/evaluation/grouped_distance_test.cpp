// Leaving groups out must be the same as computing without them.
#include "evaluation/grouped_distance.h"

#include <gmock/gmock.h>

#include <adadiff/error.h>

#include "evaluation/kernel_distance.h"

namespace adadiff::detail {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

Features random_features(Eigen::Index rows, Eigen::Index columns, unsigned seed) {
  std::srand(seed);
  return Features::Random(rows, columns);
}

/// Rows but those of [first, last).
Features without(const Features& features, Eigen::Index first, Eigen::Index last) {
  Features kept(features.rows() - (last - first), features.cols());
  kept << features.topRows(first), features.bottomRows(features.rows() - last);
  return kept;
}

double kernel_of_all(const Features& reference, const Features& generated) {
  KernelSubset all;
  for (Eigen::Index i = 0; i < generated.rows(); ++i) {
    all.reference.push_back(i);
    all.generated.push_back(i);
  }
  return kernel_distance(reference, generated, {all}).mean;
}

TEST(GroupedKernelDistance, OfAllIsTheKernelDistanceOfOneSubset) {
  const Features reference = random_features(12, 5, 1), generated = random_features(12, 5, 2);
  EXPECT_NEAR(grouped_kernel_distance(reference, generated, 3).all, kernel_of_all(reference, generated), 1e-12);
}

TEST(GroupedKernelDistance, WithoutAGroupIsThatOfTheOthers) {
  const Features reference = random_features(9, 5, 1), generated = random_features(11, 5, 2);
  const GroupedDistance found = grouped_kernel_distance(reference, generated, 4);
  ASSERT_EQ(found.without.size(), 4);
  const Eigen::Index edges[] = {0, 2, 5, 8, 11};
  for (std::size_t g = 0; g < 4; ++g) {
    const Features kept = without(generated, edges[g], edges[g + 1]);
    EXPECT_NEAR(found.without[g], grouped_kernel_distance(reference, kept, 2).all, 1e-12) << g;
  }
}

TEST(GroupedFrechetDistance, WithoutAGroupIsThatOfTheOthers) {
  const GaussianReference reference(feature_statistics(random_features(40, 3, 1)));
  const Features generated = random_features(30, 3, 2);
  const GroupedDistance found = grouped_frechet_distance(reference, generated, 3);
  EXPECT_EQ(found.all, reference.distance(generated));
  EXPECT_EQ(found.without[1], reference.distance(without(generated, 10, 20)));
}

TEST(GroupedDistance, RefusesGroupsOfLessThanTwoSamples) {
  const Features features = random_features(6, 2, 1);
  EXPECT_THAT([&] { grouped_kernel_distance(features, features, 4); },
              ThrowsMessage<InvalidArgument>(HasSubstr("groups: must be in [2, 3], but is 4")));
}

}  // namespace
}  // namespace adadiff::detail
