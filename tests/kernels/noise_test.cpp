#include "kernels/noise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <vector>

#include "kernels/loops.h"
#include "kernels/normal.h"
#include "kernels/philox.h"
#include "kernels/processor.h"

namespace adadiff::kernels {
namespace {

constexpr NoiseKey kKey{.seed = 0x123456789abcdefull, .evaluation = 3, .purpose = 2, .sample = 11};

std::vector<float> normals(const NoiseKey& key, std::int64_t count) {
  std::vector<float> out(static_cast<std::size_t>(count));
  EXPECT_EQ(fill_normal(key, out.data(), count), Status::Ok);
  return out;
}

std::vector<std::uint32_t> words(const NoiseKey& key, std::int64_t count) {
  std::vector<std::uint32_t> out(static_cast<std::size_t>(count));
  EXPECT_EQ(fill_bits(key, out.data(), count), Status::Ok);
  return out;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

double moment(const std::vector<float>& values, int power) {
  double sum = 0;
  for (const float value : values) sum += std::pow(double{value}, power);
  return sum / static_cast<double>(values.size());
}

/// Largest distance from Box and Muller's formula in double.
double error_of_pair(std::uint32_t radius_word, std::uint32_t angle_word) {
  const double radius = std::sqrt(-2 * std::log((radius_word + 0.5) * 0x1p-32));
  const double angle = 2 * std::numbers::pi * (angle_word * 0x1p-32);
  const NormalPair pair = box_muller(radius_word, angle_word);
  return std::max(std::abs(pair.first - radius * std::cos(angle)),
                  std::abs(pair.second - radius * std::sin(angle)));
}

TEST(Noise, BitsAreThePhiloxWordsOfTheirCounter) {
  const std::vector<std::uint32_t> made = words(kKey, 1000);
  for (std::uint32_t i = 0; i < made.size(); ++i) {
    EXPECT_EQ(made[i],
              philox({{i / 4, kKey.evaluation, kKey.purpose, kKey.sample}}, philox_key(kKey.seed))
                  .word[i % 4])
        << i;
  }
}

TEST(Noise, NormalsOfABlockComeFromItsWordsInPairs) {
  const std::vector<std::uint32_t> made = words(kKey, 64);
  const std::vector<float> out = normals(kKey, 64);
  for (std::size_t i = 0; i < out.size(); i += 2) {
    EXPECT_EQ(out[i], box_muller(made[i], made[i + 1]).first);
    EXPECT_EQ(out[i + 1], box_muller(made[i], made[i + 1]).second);
  }
}

TEST(Noise, NormalsAreWithinOneMillionthOfTheFormula) {
  const std::vector<std::uint32_t> made = words({.seed = 5}, 2'000'000);
  double worst = 0;
  for (std::size_t i = 0; i < made.size(); i += 2)
    worst = std::max(worst, error_of_pair(made[i], made[i + 1]));
  EXPECT_LT(worst, 1e-6);
}

TEST(Noise, NormalsAreExactAtTheEdgesOfTheWords) {
  for (const std::uint32_t radius :
       {0u, 1u, 0x7fffffffu, 0x80000000u, 0xb504f333u, 0xb504f334u, 0xfffffffeu, 0xffffffffu}) {
    for (const std::uint32_t angle :
         {0u, 1u, 0x1fffffffu, 0x20000000u, 0x40000000u, 0xdfffffffu, 0xe0000000u, 0xffffffffu}) {
      EXPECT_LT(error_of_pair(radius, angle), 1e-6) << radius << " " << angle;
    }
  }
}

TEST(Noise, SmallRadiiKeepTheirRelativeAccuracy) {
  const double exact = std::sqrt(-2 * std::log1p(-0x1p-33));
  EXPECT_NEAR(box_muller(0xffffffffu, 0).first / exact, 1.0, 1e-6);
}

TEST(Noise, NormalsHaveTheMomentsOfANormal) {
  const std::vector<float> out = normals(
      {.seed = 99}, 4'000'000);  // standard errors: 0.0005, 0.0007, 0.0019, 0.0049
  EXPECT_NEAR(moment(out, 1), 0, 0.0025);
  EXPECT_NEAR(moment(out, 2), 1, 0.0035);
  EXPECT_NEAR(moment(out, 3), 0, 0.01);
  EXPECT_NEAR(moment(out, 4), 3, 0.025);
}

TEST(Noise, NormalsHaveTheTailsOfANormal) {
  const std::vector<float> out = normals({.seed = 7}, 4'000'000);
  const auto beyond = std::count_if(out.begin(), out.end(),
                                    [](float value) { return std::abs(value) > 3; });
  EXPECT_NEAR(static_cast<double>(beyond), 4e6 * 0.002699796, 520);  // five standard errors
}

TEST(Noise, NeighboursAreUncorrelated) {
  const std::vector<float> out = normals({.seed = 21}, 1'000'000);
  double sum = 0;
  for (std::size_t i = 1; i < out.size(); ++i) sum += double{out[i]} * out[i - 1];
  EXPECT_NEAR(sum / 1e6, 0, 0.005);
}

TEST(Noise, UniformsLieStrictlyBetweenZeroAndOne) {
  std::vector<float> out(1'000'000);
  ASSERT_EQ(fill_uniform(kKey, out.data(), 1'000'000), Status::Ok);
  EXPECT_GT(*std::min_element(out.begin(), out.end()), 0.0f);
  EXPECT_LT(*std::max_element(out.begin(), out.end()), 1.0f);
  EXPECT_NEAR(moment(out, 1), 0.5, 0.0015);
  EXPECT_NEAR(moment(out, 2), 1.0 / 3, 0.0015);
}

TEST(Noise, UniformsAreTheMiddlesOfTheWordsIntervals) {
  const std::vector<std::uint32_t> made = words(kKey, 130);
  std::vector<float> out(130);
  ASSERT_EQ(fill_uniform(kKey, out.data(), 130), Status::Ok);
  for (std::size_t i = 0; i < out.size(); ++i)
    EXPECT_EQ(out[i], static_cast<float>(((made[i] >> 9) + 0.5) * 0x1p-23));
}

TEST(Noise, AShortRequestIsTheStartOfALongOne) {
  const std::vector<float> longest = normals(kKey, 300);
  for (const std::int64_t count : {0, 1, 3, 4, 5, 63, 64, 65, 127, 299}) {
    EXPECT_TRUE(same_bits(normals(kKey, count), {longest.begin(), longest.begin() + count}))
        << count;
  }
}

TEST(Noise, WritesNothingBehindTheCount) {
  std::vector<float> out(70, -1.0f);
  ASSERT_EQ(fill_normal(kKey, out.data(), 66), Status::Ok);
  EXPECT_EQ(std::count(out.begin() + 66, out.end(), -1.0f), 4);
}

TEST(Noise, EveryPartOfTheKeyChangesTheNoise) {
  const std::vector<std::uint32_t> made = words({}, 4);
  EXPECT_NE(words({.seed = 1}, 4), made);
  EXPECT_NE(words({.seed = std::uint64_t{1} << 32}, 4), made);
  EXPECT_NE(words({.evaluation = 1}, 4), made);
  EXPECT_NE(words({.purpose = 1}, 4), made);
  EXPECT_NE(words({.sample = 1}, 4), made);
}

TEST(Noise, LoopsForEveryProcessorAgreeBitForBit) {
  if (!has_avx2_and_fma()) GTEST_SKIP() << "needs AVX2 and FMA";
  std::vector<float> portable(100'003), fast(100'003);
  portable_noise_loops().normal(kKey, portable.data(), 100'003);
  avx2_noise_loops().normal(kKey, fast.data(), 100'003);
  EXPECT_TRUE(same_bits(portable, fast));
  portable_noise_loops().uniform(kKey, portable.data(), 100'003);
  avx2_noise_loops().uniform(kKey, fast.data(), 100'003);
  EXPECT_TRUE(same_bits(portable, fast));
}

TEST(Noise, RefusesWhatItCannotFill) {
  float value = 0;
  EXPECT_EQ(fill_normal(kKey, &value, -1), Status::InvalidArgument);
  EXPECT_EQ(fill_normal(kKey, nullptr, 1), Status::InvalidArgument);
  EXPECT_EQ(fill_uniform(kKey, &value, kLongestNoise + 1), Status::InvalidArgument);
  EXPECT_EQ(fill_bits(kKey, nullptr, 0), Status::Ok);
}

}  // namespace
}  // namespace adadiff::kernels
