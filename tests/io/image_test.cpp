#include <adadiff/image.h>

#include <gmock/gmock.h>
#include <zlib.h>

#include "io/png_files.h"
#include "io/test_files.h"

namespace adadiff {
namespace {

using detail::big_endian;
using detail::chunk;
using detail::get;
using detail::message_of;
using detail::put;
using detail::TestFolder;
using detail::with_checksums;
using testing::ElementsAre;
using testing::HasSubstr;

/// `count` images of 1 x 1, grey, with the values 0, 1, ...
Images dots(std::int64_t count) {
  Images images{.count = count, .height = 1, .width = 1, .channels = 1};
  for (std::int64_t i = 0; i < count; ++i) images.pixels.push_back(static_cast<std::uint8_t>(i));
  return images;
}

Images ramp(std::int64_t height, std::int64_t width, std::int64_t channels) {
  Images images{.count = 1, .height = height, .width = width, .channels = channels};
  for (std::int64_t i = 0; i < height * width * channels; ++i)
    images.pixels.push_back(static_cast<std::uint8_t>(i * 37));
  return images;
}

std::string deflated(const std::string& content) {
  uLongf size = compressBound(content.size());
  std::string packed(size, '\0');
  compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
            reinterpret_cast<const Bytef*>(content.data()), content.size(), 9);
  packed.resize(size);
  return packed;
}

/// A grey PNG of this size whose stream holds `content`.
std::string png_of(std::uint32_t width, std::uint32_t height, const std::string& content) {
  return "\x89PNG\r\n\x1a\n" +
         chunk("IHDR",
               big_endian(width) + big_endian(height) + std::string("\x08\x00\x00\x00\x00", 5)) +
         chunk("IDAT", deflated(content)) + chunk("IEND", "");
}

TEST(Image, TileFillsRowsFirst) {
  const Images grid = tile(dots(3), 2, 0);
  EXPECT_EQ(grid.width, 2);
  EXPECT_EQ(grid.height, 2);
  EXPECT_THAT(grid.pixels, ElementsAre(0, 1, 2, 255));
}

TEST(Image, TileLeavesAGapBetweenImages) {
  EXPECT_THAT(tile(dots(2), 2, 1).pixels, ElementsAre(0, 255, 1));
}

TEST(Image, TileIsNearSquareUnlessTold) {
  EXPECT_EQ(tile(dots(16), 0, 0).width, 4);
  EXPECT_EQ(tile(dots(5), 0, 0).width, 3);
  EXPECT_EQ(tile(dots(2), 9, 0).width, 2);
}

TEST(Image, TileOfOneImageIsThatImage) {
  EXPECT_EQ(tile(ramp(2, 3, 3)).pixels, ramp(2, 3, 3).pixels);
}

TEST(Image, TileOfNothingIsNothing) { EXPECT_EQ(tile(dots(0)).count, 0); }

TEST(Image, EnlargeRepeatsPixels) {
  const Images large = enlarge(tile(dots(2), 2, 0), 2);
  EXPECT_EQ(large.width, 4);
  EXPECT_EQ(large.height, 2);
  EXPECT_THAT(large.pixels, ElementsAre(0, 0, 1, 1, 0, 0, 1, 1));
}

TEST(Image, EnlargeKeepsImagesApart) {
  EXPECT_THAT(enlarge(dots(2), 2).pixels, ElementsAre(0, 0, 0, 0, 1, 1, 1, 1));
}

TEST(Image, RefusesPixelsThatDoNotFitTheSizes) {
  Images images = dots(2);
  images.pixels.pop_back();
  EXPECT_THAT(message_of<InvalidArgument>([&] { tile(images); }),
              HasSubstr("tile: must get 2 bytes of pixels, but gets 1"));
  images.width = std::int64_t{1} << 40;
  EXPECT_THAT(message_of<InvalidArgument>([&] { enlarge(images, 2); }),
              HasSubstr("256 megapixels"));
}

TEST(Image, RefusesFactorsAndGapsOutOfRange) {
  EXPECT_THAT(message_of<InvalidArgument>([] { enlarge(dots(1), 0); }),
              HasSubstr("enlarge.factor: must be in [1, 256], but is 0"));
  EXPECT_THAT(message_of<InvalidArgument>([] { tile(dots(1), -1); }),
              HasSubstr("tile.columns: must be in"));
  EXPECT_THAT(message_of<InvalidArgument>([] { tile(dots(1), 1, -1); }),
              HasSubstr("tile.gap: must be in"));
}

TEST(Image, PngGivesBackItsPixels) {
  const TestFolder folder;
  for (const std::int64_t channels : {1, 3}) {
    const Images image = ramp(5, 7, channels);
    write_png(image, folder / "a.png");
    const Images read = read_image(folder / "a.png");
    EXPECT_EQ(read.channels, channels);
    EXPECT_EQ(read.pixels, image.pixels);
  }
}

TEST(Image, WritesSeveralImagesAsAGrid) {
  const TestFolder folder;
  write_png(dots(4), folder / "a.png");
  EXPECT_EQ(read_image(folder / "a.png").width, 4);
}

TEST(Image, ReadsWithTheChannelsAsked) {
  const TestFolder folder;
  write_png(dots(1), folder / "a.png");
  EXPECT_THAT(read_image(folder / "a.png", 3).pixels, ElementsAre(0, 0, 0));
  EXPECT_THAT(message_of<InvalidArgument>([&] { read_image(folder / "a.png", 2); }),
              HasSubstr("must be 0, 1 or 3, but is 2"));
}

TEST(Image, RefusesToWriteNothing) {
  EXPECT_THAT(message_of<InvalidArgument>([] { write_png(dots(0), "/dev/null"); }),
              HasSubstr("must get at least one image of 1 or 3 channels"));
  EXPECT_THROW(write_png(ramp(1, 1, 2), "/dev/null"), InvalidArgument);
}

TEST(Image, ReportsAFullDisk) {
  EXPECT_THAT(message_of<FileError>([] { write_png(dots(1), "/dev/full"); }),
              HasSubstr("No space left on device"));
}

TEST(Image, RefusesOtherFiles) {
  const TestFolder folder;
  put(folder / "a.png", "no image");
  EXPECT_THAT(message_of<ModelError>([&] { read_image(folder / "a.png"); }),
              HasSubstr("must be a PNG or JPEG image, but reading it failed: "));
  put(folder / "a.png", "");
  EXPECT_THROW(read_image(folder / "a.png"), ModelError);
  EXPECT_THROW(read_image(folder / "b.png"), FileError);
}

TEST(Image, RefusesMoreThan256Megapixels) {
  const TestFolder folder;
  put(folder / "a.png", png_of(1 << 15, 1 << 14, ""));
  EXPECT_THAT(message_of<ModelError>([&] { read_image(folder / "a.png"); }),
              HasSubstr("must have at most 256 megapixels, but has 536870912"));
}

TEST(Image, RefusesFilesThatAreTooLong) {
  const TestFolder folder;
  put(folder / "a.png", "");
  std::filesystem::resize_file(folder / "a.png",
                               (std::uintmax_t{1} << 29) + 1);  // a hole: takes no room
  EXPECT_THAT(message_of<ModelError>([&] { read_image(folder / "a.png"); }),
              HasSubstr("must have at most 512 MiB, but has 536870913"));
}

TEST(Image, APngBombIsRefused) {
  const TestFolder folder;
  put(folder / "a.png", png_of(1, 1, std::string(100'000'000, '\0')));
  EXPECT_THAT(message_of<ModelError>([&] { read_image(folder / "a.png"); }),
              HasSubstr("must be an undamaged image, but reading it failed: outofmem"));
}

TEST(Image, ReadsAPngMadeByHand) {
  const TestFolder folder;
  put(folder / "a.png", png_of(2, 1, std::string("\0\x05\x06", 3)));
  EXPECT_THAT(read_image(folder / "a.png").pixels, ElementsAre(5, 6));
}

TEST(Image, RefusesAPngWithAnyBitFlipped) {
  const TestFolder folder;
  const std::string intact = png_of(2, 1, std::string("\0\x05\x06", 3));
  for (std::size_t bit = 0; bit < 8 * intact.size(); ++bit) {
    std::string damaged = intact;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    put(folder / "a.png", damaged);
    EXPECT_THROW(read_image(folder / "a.png"), ModelError) << "bit " << bit;
  }
}

TEST(Image, NamesThePngsChunkWhoseChecksumIsWrong) {
  const TestFolder folder;
  std::string damaged = png_of(2, 1, std::string("\0\x05\x06", 3));
  damaged[damaged.find("IDAT") + 5] ^= 1;
  put(folder / "a.png", damaged);
  EXPECT_THAT(message_of<ModelError>([&] { read_image(folder / "a.png"); }),
              HasSubstr("must be an undamaged image, but the checksum of its chunk IDAT at byte 33 "
                        "is not that of its bytes"));
}

TEST(Image, ReadsAPngWhoseRemarksHaveAWrongChecksum) {
  const TestFolder folder;
  std::string png = png_of(2, 1, std::string("\0\x05\x06", 3));
  std::string remark = chunk("tEXt", std::string("Comment\0edited", 14));
  remark.back() ^= 1;
  put(folder / "a.png", png.insert(png.find("IDAT") - 4, remark));
  EXPECT_THAT(read_image(folder / "a.png").pixels, ElementsAre(5, 6));
}

TEST(Image, RefusesAPngThatIsCutShort) {
  const TestFolder folder;
  const std::string png = png_of(2, 1, std::string("\0\x05\x06", 3)),
                    without_last_checksum = png.substr(0, png.size() - 4);
  put(folder / "a.png", without_last_checksum);
  EXPECT_THAT(read_image(folder / "a.png").pixels, ElementsAre(5, 6));
  detail::expect_starts_refused(without_last_checksum, [&](const std::string& start) {
    put(folder / "a.png", start);
    read_image(folder / "a.png");
  });
}

TEST(Image, ReadsAPngWithBytesBehindItsEnd) {
  const TestFolder folder;
  put(folder / "a.png", png_of(2, 1, std::string("\0\x05\x06", 3)) + "more");
  EXPECT_THAT(read_image(folder / "a.png").pixels, ElementsAre(5, 6));
}

TEST(Image, SurvivesDamageThatItsChecksumsHide) {
  const TestFolder folder;
  write_png(ramp(9, 9, 3), folder / "a.png");
  detail::expect_survives_damage(get(folder / "a.png"), 2000, [&](const std::string& damaged) {
    put(folder / "b.png", with_checksums(damaged));
    read_image(folder / "b.png");
  });
}

TEST(Image, SurvivesDamage) {
  const TestFolder folder;
  write_png(ramp(9, 9, 3), folder / "a.png");
  const std::string content = get(folder / "a.png");
  detail::expect_survives_damage(content, 2000, [&](const std::string& damaged) {
    put(folder / "b.png", damaged);
    read_image(folder / "b.png");
  });
}

}  // namespace
}  // namespace adadiff
