#include "kernels/exit_score.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/loops.h"
#include "kernels/noise.h"
#include "kernels/processor.h"

namespace adadiff::kernels {
namespace {

struct Sizes {
  std::int64_t rows = 1, tokens = 1, width = 1, values = 1;
};

std::vector<float> random(std::int64_t count, std::uint32_t purpose, double scale) {
  std::vector<float> out(static_cast<std::size_t>(count));
  EXPECT_EQ(fill_normal({.seed = 17, .purpose = purpose}, out.data(), count), Status::Ok);
  for (float& value : out) value *= static_cast<float>(scale);
  return out;
}

/// Owns the memory of one call: two extra tokens in front of each row, three floats behind each
/// token.
class Problem {
 public:
  explicit Problem(const Sizes& sizes) : Problem(sizes, 3.0) {}
  Problem(const Sizes& sizes, double logit_scale)
      : sizes_(sizes),
        tokens_(random(sizes.rows * row_stride(), 0, 1)),
        weight_(random(sizes.values * sizes.width, 1,
                       logit_scale / std::sqrt(static_cast<double>(sizes.width)))),
        bias_(random(sizes.rows * sizes.values, 2, 1)),
        packed_(static_cast<std::size_t>(packed_exit_weight_size(sizes.values, sizes.width))) {
    EXPECT_EQ(pack_exit_weight(weight_.data(), sizes.values, sizes.width, packed_.data()),
              Status::Ok);
  }

  ExitScore call(std::vector<float>& out) const {
    out.assign(static_cast<std::size_t>(sizes_.rows), -1.0f);
    return {.tokens = tokens_.data() + 2 * token_stride(),
            .rows = sizes_.rows,
            .tokens_per_row = sizes_.tokens,
            .width = sizes_.width,
            .row_stride = row_stride(),
            .token_stride = token_stride(),
            .values = sizes_.values,
            .weight = packed_.data(),
            .bias = bias_.data(),
            .bias_stride = sizes_.values,
            .out = out.data()};
  }
  ExitScore reference_call(std::vector<float>& out) const {
    ExitScore score = call(out);
    score.weight = weight_.data();
    return score;
  }
  std::vector<float> expected() const {
    std::vector<float> out;
    EXPECT_EQ(exit_score_reference(reference_call(out)), Status::Ok);
    return out;
  }
  std::vector<float> actual() const {
    std::vector<float> out;
    EXPECT_EQ(exit_score(call(out)), Status::Ok);
    return out;
  }
  float& token(std::int64_t row, std::int64_t index, std::int64_t d) {
    return tokens_[static_cast<std::size_t>(row * row_stride() + (2 + index) * token_stride() + d)];
  }
  std::int64_t map_size() const { return sizes_.rows * sizes_.tokens * sizes_.values; }

 private:
  std::int64_t token_stride() const { return sizes_.width + 3; }
  std::int64_t row_stride() const { return (sizes_.tokens + 2) * token_stride(); }

  Sizes sizes_;
  std::vector<float> tokens_, weight_, bias_, packed_;
};

double worst_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double worst = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    worst = std::max(worst, std::abs(double{a[i]} - double{b[i]}));
  return worst;
}

class ExitScoreSizes : public testing::TestWithParam<Sizes> {};

TEST_P(ExitScoreSizes, AgreesWithTheReference) {
  const Problem problem(GetParam());
  EXPECT_LE(worst_difference(problem.actual(), problem.expected()), 2e-6);
}

TEST_P(ExitScoreSizes, PortableLoopAgreesWithTheReference) {
  const Problem problem(GetParam());
  std::vector<float> out;
  portable_exit_score_loop()(problem.call(out));
  EXPECT_LE(worst_difference(out, problem.expected()), 2e-6);
}

TEST_P(ExitScoreSizes, Avx2LoopAgreesWithTheReference) {
  if (!has_avx2_and_fma()) GTEST_SKIP() << "needs AVX2 and FMA";
  const Problem problem(GetParam());
  std::vector<float> out;
  avx2_exit_score_loop()(problem.call(out));
  EXPECT_LE(worst_difference(out, problem.expected()), 2e-6);
}

TEST_P(ExitScoreSizes, MapAgreesWithTheReference) {
  const Problem problem(GetParam());
  std::vector<float> out, map(static_cast<std::size_t>(problem.map_size())), expected_map(map);
  ExitScore score = problem.call(out);
  score.map = map.data();
  ASSERT_EQ(exit_score(score), Status::Ok);
  ExitScore reference = problem.reference_call(out);
  reference.map = expected_map.data();
  ASSERT_EQ(exit_score_reference(reference), Status::Ok);
  EXPECT_LE(worst_difference(map, expected_map), 5e-6);
}

INSTANTIATE_TEST_SUITE_P(Odd, ExitScoreSizes,
                         testing::Values(Sizes{1, 1, 1, 1}, Sizes{3, 7, 5, 1}, Sizes{2, 49, 128, 1},
                                         Sizes{2, 8, 17, 1}, Sizes{2, 1, 9, 2}, Sizes{3, 5, 31, 7},
                                         Sizes{2, 6, 8, 8}, Sizes{2, 13, 24, 9},
                                         Sizes{2, 49, 128, 16}, Sizes{1, 10, 33, 17},
                                         Sizes{1, 11, 40, 24}, Sizes{1, 4, 64, 25},
                                         Sizes{2, 64, 512, 48}, Sizes{1, 256, 1024, 12},
                                         Sizes{1, 3, 2, 49}));

TEST(ExitScore, RowsDoNotDependOnTheirNeighbours) {
  for (const std::int64_t values : {1, 12, 16}) {
    const Problem problem({9, 49, 70, values});
    std::vector<float> all, one;
    ASSERT_EQ(exit_score(problem.call(all)), Status::Ok);
    for (std::int64_t row = 0; row < 9; ++row) {
      ExitScore score = problem.call(one);
      score.tokens += row * score.row_stride;
      score.bias += row * score.bias_stride;
      score.rows = 1;
      ASSERT_EQ(exit_score(score), Status::Ok);
      EXPECT_EQ(one[0], all[static_cast<std::size_t>(row)]);
    }
  }
}

TEST(ExitScore, TheMapDoesNotChangeTheScore) {
  const Problem problem({2, 49, 64, 12});
  std::vector<float> out, map(static_cast<std::size_t>(problem.map_size()));
  ExitScore score = problem.call(out);
  score.map = map.data();
  ASSERT_EQ(exit_score(score), Status::Ok);
  EXPECT_EQ(out, problem.actual());
}

TEST(ExitScore, AStrideOfZeroSharesOneBias) {
  const Problem problem({3, 5, 16, 4});
  std::vector<float> out, expected;
  ExitScore score = problem.call(out), reference = problem.reference_call(expected);
  score.bias_stride = reference.bias_stride = 0;
  ASSERT_EQ(exit_score(score), Status::Ok);
  ASSERT_EQ(exit_score_reference(reference), Status::Ok);
  EXPECT_LE(worst_difference(out, expected), 2e-6);
}

TEST(ExitScore, HugeLogitsSaturateInsideTheUnitInterval) {
  for (const std::int64_t values : {1, 5, 16}) {
    const Problem problem({4, 33, 8, values}, 1e30);
    const std::vector<float> out = problem.actual();
    EXPECT_LE(worst_difference(out, problem.expected()), 2e-6);
    for (const float u : out) EXPECT_TRUE(u >= 0 && u <= 1) << u;
  }
}

TEST(ExitScore, CertainTokensGiveExactlyOne) {
  std::vector<float> tokens(64, 1.0f), weight(16 * 1, 0.0f), bias(16, 1000.0f), packed(16);
  ASSERT_EQ(pack_exit_weight(weight.data(), 16, 1, packed.data()), Status::Ok);
  float out = 0;
  ASSERT_EQ(exit_score({.tokens = tokens.data(),
                        .rows = 1,
                        .tokens_per_row = 64,
                        .width = 1,
                        .row_stride = 64,
                        .token_stride = 1,
                        .values = 16,
                        .weight = packed.data(),
                        .bias = bias.data(),
                        .out = &out}),
            Status::Ok);
  EXPECT_EQ(out, 1.0f);
}

TEST(ExitScore, NanTokensMakeTheirRowNan) {
  for (const std::int64_t values : {1, 5, 16}) {
    Problem problem({3, 10, 12, values});
    problem.token(1, 9, 11) = std::numeric_limits<float>::quiet_NaN();
    const std::vector<float> out = problem.actual();
    EXPECT_FALSE(std::isnan(out[0]));
    EXPECT_TRUE(std::isnan(out[1]));
    EXPECT_FALSE(std::isnan(out[2]));
  }
}

TEST(ExitScore, TokensBeforeTheFirstAreNotRead) {
  Problem problem({2, 10, 12, 5});
  const std::vector<float> before = problem.actual();
  problem.token(0, -1, 3) = problem.token(1, -2, 0) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(problem.actual(), before);
}

TEST(ExitScore, NoRowsAreFine) {
  EXPECT_EQ(exit_score({}), Status::Ok);
  EXPECT_EQ(exit_score_reference({}), Status::Ok);
}

TEST(ExitScore, RefusesMissingMemoryAndSizes) {
  const Problem problem({2, 4, 8, 3});
  std::vector<float> out;
  ExitScore score = problem.call(out);
  score.out = nullptr;
  EXPECT_EQ(exit_score(score), Status::InvalidArgument);
  score = problem.call(out);
  score.token_stride = 7;
  EXPECT_EQ(exit_score(score), Status::InvalidArgument);
  score = problem.call(out);
  score.tokens_per_row = 0;
  EXPECT_EQ(exit_score(score), Status::InvalidArgument);
  score = problem.call(out);
  score.bias_stride = 2;
  EXPECT_EQ(exit_score_reference(score), Status::InvalidArgument);
}

TEST(ExitScore, PackedWeightIsPaddedToSixteenValues) {
  EXPECT_EQ(packed_exit_weight_size(1, 5), 5);
  EXPECT_EQ(packed_exit_weight_size(3, 5), 80);
  EXPECT_EQ(packed_exit_weight_size(17, 2), 64);
  EXPECT_EQ(packed_exit_weight_size(0, 5), 0);
  EXPECT_EQ(pack_exit_weight(nullptr, 1, 1, nullptr), Status::InvalidArgument);
}

}  // namespace
}  // namespace adadiff::kernels
