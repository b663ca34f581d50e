#include "io/image_resize.h"

#include <gmock/gmock.h>

#include "io/test_files.h"

namespace adadiff::detail {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

Images grey(std::int64_t height, std::int64_t width, std::vector<std::uint8_t> pixels) {
  return {.count = 1, .height = height, .width = width, .channels = 1, .pixels = std::move(pixels)};
}

TEST(CropAndResize, KeepsAnImageOfTheRightSize) {
  const Images image{
      .count = 1, .height = 1, .width = 2, .channels = 3, .pixels = {1, 2, 3, 4, 5, 6}};
  EXPECT_EQ(crop_and_resize(image, 1, 2).pixels, image.pixels);
}

TEST(CropAndResize, TakesTheCentreOfAWideImage) {
  EXPECT_THAT(crop_and_resize(grey(1, 3, {10, 20, 30}), 1, 1).pixels, ElementsAre(20));
}

TEST(CropAndResize, TakesTheCentreOfATallColourImage) {
  const Images image{
      .count = 1, .height = 3, .width = 1, .channels = 3, .pixels = {1, 2, 3, 4, 5, 6, 7, 8, 9}};
  EXPECT_THAT(crop_and_resize(image, 1, 1).pixels, ElementsAre(4, 5, 6));
}

TEST(CropAndResize, CropsToTheRatioOfTheSidesAskedFor) {
  EXPECT_THAT(crop_and_resize(grey(2, 3, {1, 2, 3, 4, 5, 6}), 2, 1).pixels, ElementsAre(2, 5));
}

TEST(CropAndResize, AveragesWhatBecomesSmaller) {
  std::vector<std::uint8_t> board;
  for (int i = 0; i < 16 * 16; ++i) board.push_back((i / 16 + i) % 2 == 0 ? 0 : 255);
  // A nearest-neighbour choice would give 0 or 255.
  EXPECT_THAT(crop_and_resize(grey(16, 16, board), 4, 4).pixels,
              Each(testing::AllOf(testing::Ge(120), testing::Le(135))));
}

TEST(CropAndResize, KeepsAFlatImageFlatWhenItGrows) {
  EXPECT_THAT(crop_and_resize(grey(2, 2, {77, 77, 77, 77}), 7, 7).pixels, Each(77));
}

TEST(CropAndResize, RefusesSidesWithoutPixelsAndSeveralImages) {
  const Images image = grey(1, 1, {1});
  EXPECT_THAT(message_of<InvalidArgument>([&] { crop_and_resize(image, 0, 4); }),
              HasSubstr("crop_and_resize.height: must be in [1, 65536], but is 0"));
  EXPECT_THAT(message_of<InvalidArgument>([&] {
                crop_and_resize(
                    {.count = 2, .height = 1, .width = 1, .channels = 1, .pixels = {1, 2}}, 1, 1);
              }),
              HasSubstr("crop_and_resize.image: must be one image, but are 2"));
}

}  // namespace
}  // namespace adadiff::detail
