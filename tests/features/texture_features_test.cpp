// Numbers of grain: of images whose spectrum is known, of noise, and of images that NumPy saw
// (tests/golden/record_metrics.py).
#include "features/texture_features.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <numbers>
#include <random>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <adadiff/error.h>

#include "metrics/frechet_distance.h"

namespace adadiff::detail {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::int64_t kSide = 28, kBands = 15;
constexpr Eigen::Index kVariation = kBands, kNoise = kBands + 1, kPeakedness = kBands + 2;

using Painter = std::function<double(std::int64_t image, std::int64_t y,
                                     std::int64_t x)>;  ///< a grey value, rounded and cut to 8 bits

Images painted(std::int64_t count, const Painter& paint) {
  Images images{.count = count, .height = kSide, .width = kSide, .channels = 1};
  for (std::int64_t i = 0; i < count * kSide * kSide; ++i) {
    const double grey = paint(i / (kSide * kSide), i / kSide % kSide, i % kSide);
    images.pixels.push_back(static_cast<std::uint8_t>(std::lround(std::clamp(grey, 0.0, 255.0))));
  }
  return images;
}

Images wave(std::int64_t down, std::int64_t across) {
  return painted(1, [=](std::int64_t, std::int64_t y, std::int64_t x) {
    return 128 + 100 * std::cos(2 * std::numbers::pi * static_cast<double>(down * y + across * x) /
                                kSide);
  });
}

/// Slopes of many directions, with white noise of that deviation in grey values.
Images slopes(std::int64_t count, double deviation, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  std::vector<double> steep(static_cast<std::size_t>(2 * count));
  for (double& slope : steep) slope = normal(generator);
  return painted(count, [&](std::int64_t image, std::int64_t y, std::int64_t x) {
    const double *slope = steep.data() + 2 * image, down = static_cast<double>(y - kSide / 2),
                 across = static_cast<double>(x - kSide / 2);
    return 128 + slope[0] * down + slope[1] * across + deviation * normal(generator);
  });
}

Features texture(const Images& images) { return TextureFeatures().extract(images).features; }

double power(double number) {
  return std::expm1(number * std::log1p(12 * 255.0 * 255)) / (12 * 255.0 * 255);
}

Eigen::Index strongest_band(const Images& images) {
  Eigen::Index band = -1;
  texture(images).row(0).head(kBands).maxCoeff(&band);
  return band;
}

TEST(Texture, PutsAWaveIntoTheRingOfItsFrequency) {
  for (std::int64_t cycles = 1; cycles <= 14; ++cycles) {
    EXPECT_EQ(strongest_band(wave(cycles, 0)), cycles - 1);
    EXPECT_EQ(strongest_band(wave(0, cycles)), cycles - 1);
  }
}

TEST(Texture, CountsAWaveOnTheEdgeOfTwoRingsToTheInnerOne) {
  EXPECT_EQ(strongest_band(wave(3, 4)), 4);  // 5 cycles
  EXPECT_EQ(strongest_band(wave(6, 8)), 9);
}

TEST(Texture, HasABandForTheCornersOfTheSpectrum) {
  EXPECT_EQ(strongest_band(wave(14, 14)), 14);
  EXPECT_EQ(strongest_band(wave(10, 10)), 14);
  EXPECT_EQ(strongest_band(wave(9, 9)), 12);
}

// The mean over 200 images and at least 4 coefficients (two of which are independent) deviates by 1
// / sqrt(400) = 5 %.
TEST(Texture, FindsTheVarianceOfWhiteNoiseInEveryBand) {
  std::mt19937 generator(1);
  std::normal_distribution<double> normal(128, 20);
  const Features found = texture(painted(200, [&](auto, auto, auto) { return normal(generator); }));
  for (Eigen::Index band = 0; band < kBands; ++band) {
    EXPECT_NEAR(found.col(band).unaryExpr(&power).mean() * 255 * 255, 400, 400 * 0.2) << band;
  }
}

TEST(Texture, FindsTheDeviationOfWhiteNoise) {
  const Features found = texture(slopes(200, 5, 1));
  EXPECT_NEAR(
      std::expm1(found.col(kNoise).mean() * std::log1p(255 * std::sqrt(12.0))) / std::sqrt(12.0), 5,
      0.2);
}

TEST(Texture, IsRaisedByNoise) {
  const Eigen::RowVectorXd clean = texture(slopes(20, 0, 1)).colwise().mean(),
                           noisy = texture(slopes(20, 4, 1)).colwise().mean();
  for (const Eigen::Index band : {10, 11, 12, 13, 14})
    EXPECT_GT(noisy(band), clean(band) + 0.02) << band;
  EXPECT_GT(noisy(kVariation), clean(kVariation));
  EXPECT_GT(noisy(kNoise), clean(kNoise) + 0.1);
}

TEST(Texture, TakesNoiseForADistance) {
  const FeatureStatistics real = feature_statistics(texture(slopes(100, 1, 1)));
  const double same = frechet_distance(real, feature_statistics(texture(slopes(100, 1, 2)))),
               noisy = frechet_distance(real, feature_statistics(texture(slopes(100, 2, 2))));
  EXPECT_GT(noisy, 2 * same);
}

TEST(Texture, HasTheSameBandsWhereverAnImageIsMovedAround) {
  const Images image = slopes(1, 3, 1);
  Images moved = image;
  for (std::int64_t y = 0; y < kSide; ++y) {
    for (std::int64_t x = 0; x < kSide; ++x) {
      moved.pixels[static_cast<std::size_t>((y + 5) % kSide * kSide + (x + 9) % kSide)] =
          image.pixels[static_cast<std::size_t>(y * kSide + x)];
    }
  }
  EXPECT_LT((texture(moved) - texture(image)).row(0).head(kBands).cwiseAbs().maxCoeff(), 1e-9);
}

TEST(Texture, OfABlankImageIsNothing) {
  for (const double grey : {0, 77, 255}) {
    EXPECT_LT(texture(painted(1, [=](auto, auto, auto) { return grey; })).cwiseAbs().maxCoeff(),
              1e-12)
        << grey;
  }
}

TEST(Texture, TakesNoStraightEdgeForNoise) {
  const Features found = texture(painted(1, [](auto, std::int64_t y, std::int64_t x) {
    return (y > 9 ? 100 : 0) + (x > 15 ? 50 : 0);
  }));
  EXPECT_LT(std::abs(found(0, kNoise)), 1e-9);
  EXPECT_GT(found(0, kVariation), 0.3);
}

TEST(Texture, IsPeakedWhereSpecksAreFew) {
  std::mt19937 generator(1);
  std::normal_distribution<double> normal(128, 20);
  const Features even = texture(painted(20, [&](auto, auto, auto) { return normal(generator); }));
  const Features speck = texture(
      painted(1, [](auto, std::int64_t y, std::int64_t x) { return y == 9 && x == 9 ? 255 : 0; }));
  EXPECT_NEAR(even.col(kPeakedness).mean(), 0, 0.01);
  EXPECT_GT(speck(0, kPeakedness), 0.2);
}

TEST(Texture, OfThreeEqualChannelsIsThatOfOne) {
  const Images grey = slopes(2, 3, 1);
  Images colour{.count = 2, .height = kSide, .width = kSide, .channels = 3};
  for (const std::uint8_t value : grey.pixels) colour.pixels.insert(colour.pixels.end(), 3, value);
  EXPECT_LT((texture(colour) - texture(grey)).cwiseAbs().maxCoeff(), 1e-12);
}

TEST(Texture, OfThreeChannelsIsOfTheirMeanPower) {
  Images colour{.count = 1, .height = kSide, .width = kSide, .channels = 3};
  for (const std::uint8_t value : wave(5, 0).pixels)
    colour.pixels.insert(colour.pixels.end(), {value, 0, 0});
  EXPECT_NEAR(power(texture(colour)(0, 4)) / power(texture(wave(5, 0))(0, 4)), 1.0 / 3, 1e-9);
}

TEST(Texture, OfAnImageDoesNotDependOnItsNeighbours) {
  const Images many = slopes(1500, 3, 1);  // more than a batch
  Images last{.count = 1, .height = kSide, .width = kSide, .channels = 1};
  last.pixels.assign(many.pixels.end() - kSide * kSide, many.pixels.end());
  EXPECT_LT((texture(many).bottomRows(1) - texture(last)).cwiseAbs().maxCoeff(), 1e-12);
}

TEST(Texture, HasAtMostSixteenBandsAndAtLeastTwo) {
  EXPECT_EQ(texture_bands(28, 28), 15);
  EXPECT_EQ(texture_bands(256, 512), 16);
  EXPECT_EQ(texture_bands(1, 40), 2);
  EXPECT_EQ(texture_dimensions(28, 28), 18);
}

TEST(Texture, IsFiniteForTheSmallestImages) {
  for (const std::int64_t width : {1, 2, 3}) {
    Images image{.count = 1, .height = 1, .width = width, .channels = 1, .pixels = {}};
    image.pixels.assign(static_cast<std::size_t>(width), 0);
    image.pixels[0] = 200;
    const Features found = texture(image);
    EXPECT_EQ(found.cols(), texture_dimensions(1, width));
    EXPECT_TRUE(found.allFinite()) << width;
  }
}

TEST(Texture, RefusesImagesWithoutPixels) {
  EXPECT_THAT([] { texture({.count = 2, .height = 0, .width = 3, .channels = 1}); },
              ThrowsMessage<InvalidArgument>(
                  HasSubstr("images for texture: must have pixels, but are 0 x 3")));
}

TEST(Texture, IsWhatNumPySees) {
  const auto golden = nlohmann::json::parse(std::ifstream(ADADIFF_TEST_DATA "/metrics.json"));
  ASSERT_EQ(golden.at("texture").size(), 2);
  for (const nlohmann::json& record : golden.at("texture")) {
    const auto rows = record.at("image").get<std::vector<std::vector<std::vector<std::uint8_t>>>>();
    Images image{.count = 1,
                 .height = std::ssize(rows),
                 .width = std::ssize(rows[0]),
                 .channels = std::ssize(rows[0][0])};
    for (const auto& row : rows) {
      for (const auto& pixel : row)
        image.pixels.insert(image.pixels.end(), pixel.begin(), pixel.end());
    }
    const auto numbers = record.at("numbers").get<std::vector<double>>();
    const Features found = texture(image);
    ASSERT_EQ(found.cols(), std::ssize(numbers));
    // Both sides work in double: a transform of 35 x 32 values loses about 1e-15 of each magnitude,
    // and logarithms take that as it is.
    for (Eigen::Index i = 0; i < found.cols(); ++i)
      EXPECT_NEAR(found(0, i), numbers[static_cast<std::size_t>(i)], 1e-12) << i;
  }
}

TEST(Texture, IsOpenedByItsName) {
  EXPECT_THAT(open_features("texture")->name(), HasSubstr("texture (grain only"));
}

TEST(CompareLevels, TellsHowMuchStrongerTextureIs) {
  Images real = slopes(10, 20, 1), generated = real;
  for (std::uint8_t& value : real.pixels) value = static_cast<std::uint8_t>(value / 2);
  for (std::size_t i = 0; i < real.pixels.size(); ++i)
    generated.pixels[i] = static_cast<std::uint8_t>(2 * real.pixels[i]);
  const TextureLevels levels = compare_levels(texture(real), texture(generated));
  EXPECT_NEAR(levels.total_variation_ratio, 2, 1e-9);
  ASSERT_EQ(std::ssize(levels.spectrum_db), kBands);
  for (const double band : levels.spectrum_db) EXPECT_NEAR(band, 10 * std::log10(4), 1e-9);
}

TEST(CompareLevels, GoesByTheMeanPowerOfASet) {
  Images half = slopes(2, 20, 1);
  const Features both = texture(half);
  std::fill_n(half.pixels.begin(), kSide * kSide, std::uint8_t{0});
  const Features one = texture(half);
  const double expected = 10 * std::log10(power(both(1, 12)) /
                                          (power(both(0, 12)) + power(both(1, 12))));
  EXPECT_NEAR(compare_levels(both, one).spectrum_db[12], expected, 1e-9);
}

TEST(CompareLevels, KnowsNoRatioToBlankImages) {
  const Features blank = texture(painted(2, [](auto, auto, auto) { return 0; }));
  EXPECT_FALSE(
      std::isfinite(compare_levels(blank, texture(slopes(2, 20, 1))).total_variation_ratio));
}

TEST(CompareLevels, RefusesSetsThatDoNotMatch) {
  EXPECT_THAT([] { compare_levels(Features::Zero(2, 18), Features::Zero(2, 19)); },
              ThrowsMessage<InvalidArgument>(HasSubstr("must have 18 numbers per sample")));
  EXPECT_THAT([] { compare_levels(Features::Zero(2, 3), Features::Zero(2, 3)); },
              ThrowsMessage<InvalidArgument>(
                  HasSubstr("texture: must have more than 3 numbers per image, but has 3")));
  EXPECT_THAT(
      [] { compare_levels(Features::Zero(0, 18), Features::Zero(2, 18)); },
      ThrowsMessage<InvalidArgument>(HasSubstr("real texture: must have at least 1 samples")));
}

}  // namespace
}  // namespace adadiff::detail
