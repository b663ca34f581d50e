// Which way up pictures are.
#include "io/exif.h"

#include <array>
#include <fstream>
#include <numeric>

#include <gmock/gmock.h>

#include "io/picture_info.h"
#include "io/png_files.h"
#include "io/test_files.h"

namespace adadiff::detail {
namespace {

using testing::ElementsAre;

std::string little(std::uint32_t value, int size) {
  std::string bytes;
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i) & 255);
  return bytes;
}
std::string big(std::uint32_t value, int size) {
  const std::string bytes = little(value, size);
  return {bytes.rbegin(), bytes.rend()};
}

/// An Exif block with another tag before the orientation.
std::string block(int orientation, bool is_big_endian) {
  const auto number = [&](std::uint32_t value, int size) {
    return is_big_endian ? big(value, size) : little(value, size);
  };
  return (is_big_endian ? "MM" : "II") + number(42, 2) + number(8, 4) + number(2, 2) +  //
         number(0x0100, 2) + number(3, 2) + number(1, 4) + number(7, 2) + number(0, 2) +
         number(0x0112, 2) + number(3, 2) + number(1, 4) +
         number(static_cast<std::uint32_t>(orientation), 2) + number(0, 2) + number(0, 4);
}

std::string jpeg_with(const std::string& exif) {
  const std::string segment = std::string("Exif\0\0", 6) + exif;
  return std::string("\xff\xd8") + "\xff\xe0" + big(4, 2) + "JF" + "\xff\xe1" +
         big(static_cast<std::uint32_t>(segment.size()) + 2, 2) + segment + "\xff\xda" + big(2, 2);
}

int orientation_of(const std::string& bytes) {
  return exif_orientation(std::as_bytes(std::span(bytes)));
}

TEST(ExifOrientation, IsReadInEitherByteOrder) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    EXPECT_EQ(orientation_of(jpeg_with(block(orientation, false))), orientation);
    EXPECT_EQ(orientation_of(jpeg_with(block(orientation, true))), orientation);
  }
}

TEST(ExifOrientation, IsReadFromPng) {
  const std::string exif = block(6, true);
  const std::string png = std::string("\x89PNG\r\n\x1a\n") + big(0, 4) + "gAMA" + big(0, 4) +
                          big(static_cast<std::uint32_t>(exif.size()), 4) + "eXIf" + exif +
                          big(0, 4);
  EXPECT_EQ(orientation_of(png), 6);
}

TEST(ExifOrientation, IsAsStoredWhereNoneCanBeRead) {
  for (const int orientation : {0, 9, 4000}) {
    EXPECT_EQ(orientation_of(jpeg_with(block(orientation, false))), 1);
  }
  EXPECT_EQ(orientation_of(""), 1);
  EXPECT_EQ(orientation_of("\xff\xd8"), 1);
  EXPECT_EQ(orientation_of(jpeg_with("")), 1);
  EXPECT_EQ(orientation_of("GIF89a"), 1);
}

/// Cut anywhere and with any byte changed, it is read without harm (ASan) and is in [1, 8].
TEST(ExifOrientation, SurvivesDamage) {
  const std::string whole = jpeg_with(block(6, false));
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const int found = orientation_of(whole.substr(0, size));
    EXPECT_TRUE(found >= 1 && found <= 8);
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char byte : {'\0', '\x7f', '\xff'}) {
      std::string damaged = whole;
      damaged[at] = byte;
      const int found = orientation_of(damaged);
      EXPECT_TRUE(found >= 1 && found <= 8) << at;
    }
  }
}

/// 1 2 3 / 4 5 6 as stored, and as each orientation means it (CIPA DC-008, 4.6.4 A: where the 0th
/// row and the 0th column are seen).
TEST(Turn, BringsEachOrientationUpright) {
  Images image{.count = 1, .height = 2, .width = 3, .channels = 1, .pixels = {1, 2, 3, 4, 5, 6}};
  EXPECT_THAT(turn(image, 1).pixels, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(turn(image, 2).pixels, ElementsAre(3, 2, 1, 6, 5, 4));  // row 0 top, column 0 right
  EXPECT_THAT(turn(image, 3).pixels, ElementsAre(6, 5, 4, 3, 2, 1));  // bottom, right
  EXPECT_THAT(turn(image, 4).pixels, ElementsAre(4, 5, 6, 1, 2, 3));  // bottom, left
  EXPECT_THAT(turn(image, 5).pixels, ElementsAre(1, 4, 2, 5, 3, 6));  // left, top
  EXPECT_THAT(turn(image, 6).pixels, ElementsAre(4, 1, 5, 2, 6, 3));  // right, top
  EXPECT_THAT(turn(image, 7).pixels, ElementsAre(6, 3, 5, 2, 4, 1));  // right, bottom
  EXPECT_THAT(turn(image, 8).pixels, ElementsAre(3, 6, 2, 5, 1, 4));  // left, bottom
  EXPECT_EQ(turn(image, 6).height, 3);
  EXPECT_EQ(turn(image, 6).width, 2);
}

TEST(Turn, KeepsColoursTogether) {
  const Images image{
      .count = 1, .height = 1, .width = 2, .channels = 3, .pixels = {1, 2, 3, 4, 5, 6}};
  EXPECT_THAT(turn(image, 6).pixels, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(turn(image, 8).pixels, ElementsAre(4, 5, 6, 1, 2, 3));
}

/// 2 x 1, grey with transparency, to be seen turned clockwise: 10 above 200.
std::string turned_png() {
  const std::string line("\0\x0a\xff\xc8\x80", 5);
  std::string packed(compressBound(line.size()), '\0');
  uLongf size = packed.size();
  compress(reinterpret_cast<Bytef*>(packed.data()), &size,
           reinterpret_cast<const Bytef*>(line.data()), line.size());
  packed.resize(size);
  return std::string("\x89PNG\r\n\x1a\n") +
         chunk("IHDR", big(2, 4) + big(1, 4) + std::string("\x08\x04\0\0\0", 5)) +
         chunk("eXIf", block(6, true)) + chunk("IDAT", packed) + chunk("IEND", "");
}

TEST(ReadImage, TurnsAPictureAsItsExifSays) {
  const TestFolder folder;
  std::ofstream(folder / "a.png", std::ios::binary) << turned_png();
  const Images image = read_image(folder / "a.png");
  EXPECT_EQ(image.height, 2);
  EXPECT_EQ(image.width, 1);
  EXPECT_THAT(image.pixels, ElementsAre(10, 200));
}

TEST(PictureInfo, TellsWhatWillBeDoneToAPicture) {
  const TestFolder folder;
  std::ofstream(folder / "a.png", std::ios::binary) << turned_png();
  const PictureInfo info = read_picture_info(folder / "a.png");
  EXPECT_EQ(info.height, 2);
  EXPECT_EQ(info.width, 1);
  EXPECT_EQ(info.orientation, 6);
  EXPECT_TRUE(info.is_grey);
  EXPECT_TRUE(info.has_transparency);
  EXPECT_THROW(read_picture_info(folder / "b.png"), FileError);
}

}  // namespace
}  // namespace adadiff::detail
