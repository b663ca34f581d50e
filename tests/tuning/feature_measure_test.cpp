// Measures of images by features that the caller makes.
#include <cmath>

#include <gmock/gmock.h>

#include <adadiff/error.h>
#include <adadiff/tuning.h>

namespace adadiff::test {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// A table of one number per row: `step` times 0, 1, 2, ..., plus `shift`.
FeatureTable line(int rows, double step, double shift = 0) {
  FeatureTable table{.dimensions = 1};
  for (int row = 0; row < rows; ++row) table.values.push_back(step * row + shift);
  return table;
}

/// Features that do not depend on the images.
FeatureFunction always(const FeatureTable& table) {
  return [table](const Images&) { return table; };
}

Images images(std::int64_t count) {
  Images images;
  images.count = count;
  return images;
}

TEST(DistanceFrom, TellsTheFrechetDistanceOfTheMeans) {
  const ImageMeasure measure = distance_from(line(40, 0.1), always(line(40, 0.1, 3)),
                                             ImageDistance::Frechet);
  const ImageQuality found = measure(images(40));
  EXPECT_NEAR(found.distance, 9, 1e-9) << "the square of the shift";
  EXPECT_EQ(found.distance_without.size(), 10u);
}

TEST(DistanceFrom, TellsTheKernelDistance) {
  const auto distance = [](double shift) {
    return distance_from(line(40, 0.01), always(line(40, 0.01, shift)))(images(40)).distance;
  };
  EXPECT_NEAR(distance(0), 0, 0.01);
  EXPECT_GT(distance(1), 1);
}

TEST(DistanceFrom, TellsTheShareOfRealImagesThatAreCovered) {
  FeatureTable half = line(40, 1);
  for (std::size_t row = 20; row < 40; ++row) half.values[row] += 1000;  // far from what is drawn
  const auto recall = [](const FeatureTable& real) {
    return distance_from(real, always(line(40, 1)))(images(40)).recall;
  };
  EXPECT_EQ(recall(line(40, 1)), 1);
  EXPECT_EQ(recall(half), 0.5);
}

TEST(DistanceFrom, IsAskedForTheFeaturesOfTheImagesThatItJudges) {
  std::int64_t seen = 0;
  const ImageMeasure measure = distance_from(line(40, 1), [&seen](const Images& judged) {
    seen = judged.count;
    return line(static_cast<int>(judged.count), 1);
  });
  measure(images(25));
  EXPECT_EQ(seen, 25);
}

TEST(DistanceFrom, GivesIntervals) {
  const ImageQuality found = distance_from(line(40, 0.1), always(line(40, 0.1, 3)))(images(40));
  EXPECT_GT(found.half_width(), 0);
  EXPECT_TRUE(std::isnan(ImageQuality{}.half_width()));
}

TEST(DistanceFrom, RefusesTablesThatAreNone) {
  const auto refusal = [](const FeatureTable& real, const std::string& message) {
    EXPECT_THAT([&] { distance_from(real, always(line(40, 1))); },
                ThrowsMessage<InvalidArgument>(HasSubstr(message)));
  };
  refusal({}, "real.dimensions: must be at least 1, but is 0");
  refusal({.dimensions = 3, .values = std::vector<double>(4)},
          "real.values: must hold 3 numbers per image, but holds 4 in all");
  refusal(line(3, 1), "real: must have at least 4 samples, but has 3");
  refusal(line(40, NAN), "real: must hold finite numbers");
}

TEST(DistanceFrom, RefusesFeaturesThatDoNotGoWithTheImages) {
  EXPECT_THAT([] { distance_from(line(40, 1), always(line(30, 1)))(images(40)); },
              ThrowsMessage<InvalidArgument>(
                  HasSubstr("features.values: must have a row for each of 40 images, but has 30")));
}

TEST(DistanceFrom, RefusesTooFewImagesForGroupsOfThem) {
  EXPECT_THAT([] { distance_from(line(40, 1), always(line(19, 1)))(images(19)); },
              ThrowsMessage<InvalidArgument>(HasSubstr("groups: must be in [5, 9], but is 10")));
}

TEST(DistanceFrom, RefusesToGoWithoutFeatures) {
  EXPECT_THAT([] { distance_from(line(40, 1), {}); },
              ThrowsMessage<InvalidArgument>(HasSubstr("features: must be set, but is empty")));
}

}  // namespace
}  // namespace adadiff::test
