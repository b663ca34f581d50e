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
using testing::Each;
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

std::string segment(char marker, const std::string& content) {
  return std::string("\xff") + marker +
         big_endian(static_cast<std::uint32_t>(content.size() + 2)).substr(2) + content;
}

/// A JPEG's Huffman table: how many codes there are of each length, and what they stand for.
std::string huffman_table(char name, std::string counts, const std::string& values) {
  counts.resize(16, '\0');
  return segment('\xc4', name + counts + values);
}

constexpr char kDc = 0x00, kAc = 0x10;
const std::string kTooLargeTable = huffman_table(kAc, std::string(14, '\0') + "\x02\xff",
                                                 std::string(257, '\0'));

struct JpegParts {
  std::string early{};  ///< segments before the frame's header
  std::string dc = huffman_table(kDc, "\x01",
                                 "\x04");  // the one code 0: a difference of 4 bits follows
  std::string scan = "\x43";  // 0 1000, which is 8, and 0, the end of the block; then ones
  std::string late{};         ///< between the scan and the end
};

/// A JPEG of 8 x 8 grey pixels.
std::string jpeg_of(const JpegParts& parts) {
  return "\xff\xd8" + parts.early + segment('\xdb', '\0' + std::string(64, '\x10')) +
         segment('\xc0', std::string("\x08\x00\x08\x00\x08\x01\x01\x11\x00", 9)) + parts.dc +
         huffman_table(kAc, "\x01", std::string(1, '\0')) +
         segment('\xda', std::string("\x01\x01\x00\x00\x3f\x00", 6)) + parts.scan + parts.late +
         "\xff\xd9";
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

// The block's mean is 8 times 16, its quantisation, over 8 above 128: 144.
TEST(Image, ReadsJpeg) {
  const TestFolder folder;
  put(folder / "a.jpg", jpeg_of({}));
  const Images image = read_image(folder / "a.jpg");
  EXPECT_EQ(image.channels, 1);
  EXPECT_EQ(image.pixels.size(), 64u);
  EXPECT_THAT(image.pixels, Each(144));
}

TEST(Image, RefusesAJpegsTableOfTooManyCodesWhereverItStands) {
  const TestFolder folder;
  const std::string second_of_two = segment(
      '\xc4', kDc + std::string("\x01") + std::string(15, '\0') + '\0' + kTooLargeTable.substr(4));
  const std::string places[] = {
      jpeg_of({.early = kTooLargeTable}), jpeg_of({.early = "padding\xff" + kTooLargeTable}),
      jpeg_of({.early = second_of_two}), jpeg_of({.late = kTooLargeTable}),
      jpeg_of({.scan = std::string("\x43\xff\x00\xff\xd0", 5), .late = kTooLargeTable})};
  for (const std::string& jpeg : places) {
    put(folder / "a.jpg", jpeg);
    EXPECT_THAT(
        message_of<ModelError>([&] { read_image(folder / "a.jpg"); }),
        HasSubstr(
            "must be an undamaged image, but has a Huffman table of 257 codes, more than 256"));
  }
}

TEST(Image, TakesNoOtherBytesForAJpegsTable) {
  const TestFolder folder;
  put(folder / "a.jpg", jpeg_of({.early = segment('\xfe', kTooLargeTable)}) + kTooLargeTable);
  EXPECT_THAT(read_image(folder / "a.jpg").pixels, Each(144));
}

TEST(Image, RefusesAJpegThatEndsInATable) {
  const TestFolder folder;
  put(folder / "a.jpg", "\xff\xd8" + kTooLargeTable.substr(0, 9));
  EXPECT_THROW(read_image(folder / "a.jpg"), ModelError);
}

// Seen to fail without zeroed memory under MALLOC_PERTURB_=85.
TEST(Image, ReadsAJpegsUndefinedTablesAsZeros) {
  const TestFolder folder;
  put(folder / "a.jpg", jpeg_of({.dc = ""}));
  EXPECT_THAT(read_image(folder / "a.jpg").pixels, Each(128));
}

// stb looks the last of 256 codes up at the wrong length, and an assertion of its own fails.
TEST(Image, ReadsAJpegWith256Codes) {
  const TestFolder folder;
  put(folder / "a.jpg",
      jpeg_of({.dc = huffman_table(kDc, std::string(7, '\0') + "\xff\x01", std::string(256, '\0')),
               .scan = std::string("\xff\x00\x00", 3)}));
  EXPECT_THAT(read_image(folder / "a.jpg").pixels, Each(128));
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
