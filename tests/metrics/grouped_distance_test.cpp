// Leaving groups out must be the same as computing without them.
#include "metrics/grouped_distance.h"

#include <cmath>
#include <utility>

#include <gmock/gmock.h>

#include <adadiff/error.h>

#include "metrics/kernel_distance.h"

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
  EXPECT_NEAR(grouped_kernel_distance(reference, generated, 5).all,
              kernel_of_all(reference, generated), 1e-12);
}

TEST(GroupedKernelDistance, WithoutAGroupIsThatOfTheOthers) {
  const Features reference = random_features(9, 5, 1), generated = random_features(17, 5, 2);
  const GroupedDistance found = grouped_kernel_distance(reference, generated, 5);
  ASSERT_EQ(found.without.size(), 5);
  const Eigen::Index edges[] = {0, 3, 6, 10, 13, 17};
  for (std::size_t g = 0; g < 5; ++g) {
    const Features kept = without(generated, edges[g], edges[g + 1]);
    EXPECT_NEAR(found.without[g], grouped_kernel_distance(reference, kept, 5).all, 1e-12) << g;
  }
}

TEST(GroupedFrechetDistance, WithoutAGroupIsThatOfTheOthers) {
  const GaussianReference reference(feature_statistics(random_features(40, 3, 1)));
  const Features generated = random_features(30, 3, 2);
  const GroupedDistance found = grouped_frechet_distance(reference, generated, 5);
  EXPECT_EQ(found.all, reference.distance(generated));
  EXPECT_EQ(found.without[1], reference.distance(without(generated, 6, 12)));
}

TEST(GroupedDistance, RefusesGroupsOfLessThanTwoSamples) {
  const Features features = random_features(12, 2, 1);
  EXPECT_THAT([&] { grouped_kernel_distance(features, features, 7); },
              ThrowsMessage<InvalidArgument>(HasSubstr("groups: must be in [5, 6], but is 7")));
}

TEST(GroupedDistance, RefusesTooFewGroupsForAnInterval) {
  const Features features = random_features(12, 2, 1);
  EXPECT_THAT([&] { grouped_kernel_distance(features, features, 4); },
              ThrowsMessage<InvalidArgument>(HasSubstr("but is 4")));
}

TEST(StudentT, IsWithinAThousandthOfItsTable) {
  // scipy.stats.t.ppf(0.975, freedom)
  for (const auto& [freedom, value] :
       {std::pair{4, 2.7764451}, {9, 2.2621572}, {19, 2.0930241}, {99, 1.9842170}}) {
    EXPECT_NEAR(student_t(freedom), value, 1e-3 * value) << freedom;
  }
}

TEST(HalfWidth, OfAMeanIsStudentsInterval) {
  // Group means 1 to 5: their mean is 3 with standard error sqrt(2.5 / 5), and t with 4 degrees of
  // freedom is 2.776.
  const GroupedDistance mean{3, {14.0 / 4, 13.0 / 4, 12.0 / 4, 11.0 / 4, 10.0 / 4}};
  EXPECT_NEAR(half_width(mean), 2.7764451 * std::sqrt(0.5), 2e-3);
}

}  // namespace
}  // namespace adadiff::detail
