// MSE, PSNR and SSIM of image pairs.
#include "metrics/paired_error.h"

#include <cmath>

#include <gmock/gmock.h>

#include <adadiff/error.h>

namespace adadiff::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;
using Values = std::vector<float>;

ImagePair pixels(const Values& first, const Values& second) {
  return {.first = first, .second = second, .height = 1, .width = 1};
}

TEST(PairedError, IsInUnitsOfTheRange) {
  const Values first{-1, 0}, second{1, 0};
  const PairedError error = paired_error(pixels(first, second));
  EXPECT_DOUBLE_EQ(error.mse, 0.5);
  EXPECT_DOUBLE_EQ(error.psnr_db, 10 * std::log10(2));
}

TEST(PairedError, ClampsToTheRangeFirst) {
  const Values first{-3}, second{-1};
  EXPECT_EQ(paired_error(pixels(first, second)).mse, 0);
}

TEST(PairedError, OfIdenticalImagesHasNoPsnrAndFullSimilarity) {
  Values image;
  for (int i = 0; i < 12 * 12; ++i) image.push_back(std::sin(static_cast<float>(i)));
  const PairedError error = paired_error(
      {.first = image, .second = image, .height = 12, .width = 12});
  EXPECT_TRUE(std::isnan(error.psnr_db));
  EXPECT_NEAR(error.ssim, 1, 1e-12);
}

TEST(PairedError, HasNoSimilarityForImagesSmallerThanTheWindow) {
  const Values image{0};
  EXPECT_TRUE(std::isnan(paired_error(pixels(image, image)).ssim));
}

TEST(PairedError, ComesAsAMeanSquareAlone) {
  const Values first{-1, 0, 1}, second{1, 0, 0};
  EXPECT_DOUBLE_EQ(mean_square(pixels(first, second)), 1.25 / 3);
}

TEST(PairedError, RefusesSetsOfDifferentSizes) {
  const Values one{0}, two{0, 0}, none;
  EXPECT_THAT(
      [&] { paired_error(pixels(one, two)); },
      ThrowsMessage<InvalidArgument>(HasSubstr(
          "paired images: must be as many of one size, at least one, but are 1 and 2 values")));
  EXPECT_THROW(paired_error(pixels(none, none)), InvalidArgument);
}

}  // namespace
}  // namespace adadiff::detail
