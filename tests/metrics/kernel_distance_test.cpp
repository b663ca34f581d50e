// Subsets that are drawn, and estimates that can be said by hand.
#include "metrics/kernel_distance.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <adadiff/error.h>

namespace adadiff::detail {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::set<std::int64_t> distinct(const std::vector<std::int64_t>& rows) {
  return {rows.begin(), rows.end()};
}

TEST(KernelSubsets, DrawNoRowTwice) {
  for (const KernelSubset& subset : draw_kernel_subsets(40, 30, {.count = 50, .size = 30}, 3)) {
    EXPECT_EQ(distinct(subset.reference).size(), 30u);
    EXPECT_EQ(distinct(subset.generated).size(), 30u);
    EXPECT_LT(*distinct(subset.reference).rbegin(), 40);
    EXPECT_EQ(*distinct(subset.generated).rbegin(), 29);
  }
}

TEST(KernelSubsets, AreHalfOfTheSmallerSetByDefault) {
  EXPECT_EQ(subset_size(100, 31, {}), 15);
  EXPECT_EQ(subset_size(2, 3, {}), 2);
  EXPECT_EQ(subset_size(50000, 50000, {}), 1000);
}

TEST(KernelSubsets, AreCutToTheSmallerSet) {
  EXPECT_EQ(draw_kernel_subsets(5, 3, {.count = 1, .size = 8}, 0)[0].reference.size(), 3u);
}

TEST(KernelSubsets, AreAFunctionOfTheSeed) {
  const auto rows = [](std::uint64_t seed) {
    return draw_kernel_subsets(1000, 1000, {.count = 2, .size = 20}, seed)[1].generated;
  };
  EXPECT_EQ(rows(1), rows(1));
  EXPECT_NE(rows(1), rows(2));
}

TEST(KernelSubsets, DrawEachRowEquallyOften) {
  std::vector<int> drawn(10);
  for (const KernelSubset& subset : draw_kernel_subsets(10, 10, {.count = 10000, .size = 5}, 1)) {
    for (const std::int64_t row : subset.reference) ++drawn[static_cast<std::size_t>(row)];
  }
  for (const int count : drawn)
    EXPECT_NEAR(count, 5000, 250);  // five standard deviations of a binomial count
}

TEST(KernelDistance, CountsEveryPairOfDifferentSamplesOnce) {
  const Features reference{{0}, {1}}, generated{{1}, {2}};
  // k(0, 1) = 1, k(1, 2) = 27, and between the sets k(0, 1), k(0, 2), k(1, 1), k(1, 2) = 1, 1,
  // 8, 27.
  const KernelDistance distance = kernel_distance(reference, generated, {{{0, 1}, {0, 1}}});
  EXPECT_NEAR(distance.mean, 1 + 27 - 2 * 37 / 4.0, 1e-12);
  EXPECT_EQ(distance.deviation, 0);
}

TEST(KernelDistance, ReportsTheSpreadBetweenSubsets) {
  const Features reference{{0}, {1}, {0}}, generated{{1}, {2}, {0}};
  const std::vector<KernelSubset> subsets{{{0, 1}, {0, 1}}, {{0, 2}, {2, 0}}};
  // The second subset: 1 + 1 - 2 * (1 + 1 + 1 + 1) / 4 = 0, the first 9.5.
  const KernelDistance distance = kernel_distance(reference, generated, subsets);
  EXPECT_NEAR(distance.mean, 4.75, 1e-12);
  EXPECT_NEAR(distance.deviation, 4.75, 1e-12);
}

TEST(KernelDistance, IsUnbiased) {
  // Both from one distribution: the mean over many independent estimates is within five of its
  // standard errors of 0.
  std::srand(1);
  const Features reference = Features::Random(4000, 4), generated = Features::Random(4000, 4);
  std::vector<KernelSubset> subsets;
  for (std::int64_t first = 0; first < 4000; first += 20) {
    KernelSubset& subset = subsets.emplace_back();
    for (std::int64_t row = first; row < first + 20; ++row) subset.reference.push_back(row);
    subset.generated = subset.reference;
  }
  const KernelDistance distance = kernel_distance(reference, generated, subsets);
  EXPECT_LT(std::abs(distance.mean), 5 * distance.deviation / std::sqrt(200.0));
}

TEST(KernelDistance, RefusesSubsetsThatDoNotFit) {
  const Features features = Features::Zero(4, 2);
  EXPECT_THAT([&] { kernel_distance(features, features, {}); },
              ThrowsMessage<InvalidArgument>("subsets: must be at least one, but are none"));
  EXPECT_THAT(
      [&] {
        kernel_distance(features, features, {{{0, 1}, {0}}});
      },
      ThrowsMessage<InvalidArgument>(HasSubstr("has 2 and 1")));
  EXPECT_THAT(
      [&] {
        kernel_distance(features, features, {{{0, 4}, {0, 1}}});
      },
      ThrowsMessage<InvalidArgument>("subset.reference: must be in [0, 3], but is 4"));
  EXPECT_THAT(
      [&] {
        kernel_distance(features, Features::Zero(4, 3), {{{0, 1}, {0, 1}}});
      },
      ThrowsMessage<InvalidArgument>(HasSubstr("must have 2 numbers per sample")));
}

}  // namespace
}  // namespace adadiff::detail
