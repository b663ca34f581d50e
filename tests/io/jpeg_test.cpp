// Pictures from JPEG files: whole ones of the kinds that cameras and programs write are read, and
// every other one is refused with what is wrong about it.
#include "io/jpeg.h"

#include <gmock/gmock.h>

#include <adadiff/image.h>

#include "io/jpeg_files.h"
#include "io/test_files.h"

namespace adadiff::detail {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

Images read(const std::string& jpeg) {
  const TestFolder folder;
  put(folder / "a.jpg", jpeg);
  return read_image(folder / "a.jpg");
}

std::string complaint(const std::string& jpeg) {
  return message_of<ModelError>([&] { read(jpeg); });
}

/// Four blocks side by side, with the brightness 144, 144, 128 and 128.
JpegParts four_blocks() {
  JpegParts parts{.width = 32};
  parts.dc = huffman_table(kDc, "\x01\x01", std::string("\x04\x00", 2));
  // 0 1000 0 is 8 more, 10 0 no change, 0 0111 0 is 8 less, and 10 0 again.
  parts.scan = "\x42\x1d\x3f";
  return parts;
}

/// The same with a restart after each block; every block then begins at 0.
JpegParts four_intervals() {
  JpegParts parts = four_blocks();
  parts.early = segment('\xdd', two_bytes(1));
  parts.scan = "\x43\xff\xd0\x43\xff\xd1\x9f\xff\xd2\x9f";  // 0 1000 0, and twice 10 0
  return parts;
}

std::vector<int> brightness(const Images& image) {
  std::vector<int> values;
  for (std::size_t i = 0; i < image.pixels.size(); i += 8) values.push_back(image.pixels[i]);
  values.resize(static_cast<std::size_t>(image.width) / 8);
  return values;
}

// The block's mean is 8 times 16, its quantisation, over 8 above 128: 144.
TEST(Jpeg, IsRead) {
  const Images image = read(jpeg_of({}));
  EXPECT_EQ(image.channels, 1);
  EXPECT_EQ(image.pixels.size(), 64u);
  EXPECT_THAT(image.pixels, Each(144));
}

TEST(Jpeg, OfSeveralBlocksIsRead) {
  EXPECT_THAT(brightness(read(jpeg_of(four_blocks()))), ElementsAre(144, 144, 128, 128));
  EXPECT_THAT(brightness(read(jpeg_of(four_intervals()))), ElementsAre(144, 144, 128, 128));
}

TEST(Jpeg, OfProgressiveCodingIsRead) {
  JpegParts parts{.frame = '\xc2', .scan_header = std::string("\x01\x01\x00\x00\x00\x00", 6)};
  EXPECT_THAT(read(jpeg_of(parts)).pixels, Each(144));
  parts.late = "\xff\xd0";
  EXPECT_THAT(read(jpeg_of(parts)).pixels, Each(144)) << "with a restart behind its data";
}

// Cameras and drones write these, and some readers take them for damage.
TEST(Jpeg, IsReadWithBytesBehindItsData) {
  const std::string behind[] = {"\xff\xd3", std::string("\xff\x00\x12", 3),
                                std::string("\x12\x34\xff\x00\xff\xd1\x77", 7), "\xff\xff\xff"};
  for (const std::string& bytes : behind) {
    JpegParts parts = four_blocks();
    parts.late = bytes;
    EXPECT_THAT(brightness(read(jpeg_of(parts))), ElementsAre(144, 144, 128, 128));
  }
}

TEST(Jpeg, IsReadWithPaddingAndOtherSegments) {
  for (const std::string& early :
       {std::string("\xff\xff\xff"), std::string("padding"), segment('\xef', "camera"),
        segment('\xdc', two_bytes(8)), std::string("\xff\x01")}) {
    EXPECT_THAT(read(jpeg_of({.early = early})).pixels, Each(144));
    EXPECT_THAT(read(jpeg_of({.dc = early + JpegParts{}.dc})).pixels, Each(144));
    EXPECT_THAT(read(jpeg_of({.late = early})).pixels, Each(144));
  }
  EXPECT_THAT(read(jpeg_of({}) + "more").pixels, Each(144)) << "bytes behind the end";
}

// Brightness 010 0, which is -1, by the standard's table: 128 - 16 / 8. Then 1010, the end.
TEST(Jpeg, WithoutHuffmanTablesIsAFrameOfMotionJpeg) {
  EXPECT_THAT(read(jpeg_of({.dc = "", .ac = "", .scan = "\x4a"})).pixels, Each(126));
}

TEST(Jpeg, IsRefusedCutShortAnywhere) {
  for (const std::string& whole : {jpeg_of({}), jpeg_of(four_blocks()), jpeg_of(four_intervals())})
    expect_starts_refused(whole, [](const std::string& start) { read(start); });
  const std::string half = jpeg_of(four_blocks()).substr(0, jpeg_of(four_blocks()).size() - 4);
  EXPECT_THAT(complaint(half),
              HasSubstr("a.jpg: must be an undamaged JPEG of 8 bits per value, but libjpeg says: "
                        "Premature end of JPEG file; the file seems to be cut short or changed"));
}

TEST(Jpeg, IsRefusedWhereItsDataBreakOff) {
  JpegParts parts = four_blocks();
  parts.scan = "\x42\x1d";
  EXPECT_THAT(complaint(jpeg_of(parts)), HasSubstr("premature end of data segment"));
  parts = four_intervals();
  parts.scan = "\x43\xff\xd0\x43\xff\xd1";
  EXPECT_THAT(complaint(jpeg_of(parts)), HasSubstr("premature end of data segment"));
}

TEST(Jpeg, IsRefusedWithoutItsRestarts) {
  JpegParts parts = four_intervals();
  parts.scan = "\x43\xff\xd1\x43\xff\xd0\x9f\xff\xd2\x9f";
  EXPECT_THAT(complaint(jpeg_of(parts)), HasSubstr("found marker 0xd1 instead of RST0"));
}

TEST(Jpeg, With256CodesIsRead) {
  EXPECT_THAT(read(jpeg_of({.dc = huffman_table(kDc, std::string(7, '\0') + "\xff\x01",
                                                std::string(256, '\0')),
                            .scan = std::string("\xff\x00\x00", 3)}))
                  .pixels,
              Each(128));
}

/// Four components of one block each.
JpegParts four_components(const std::string& early) {
  return {.early = early,
          .components = std::string("\x01\x11\x00\x02\x11\x00\x03\x11\x00\x04\x11\x00", 12),
          .scan_header = std::string("\x04\x01\x00\x02\x00\x03\x00\x04\x00\x00\x3f\x00", 12),
          .scan = "\x41\x04\x10"};
}

std::string adobe(char transform) {
  return segment('\xee', std::string("Adobe\0\x64\0\0\0\0", 11) + transform);
}

TEST(Jpeg, OfFourComponentsIsRefusedUnlessItSaysWhatTheyAre) {
  EXPECT_THAT(complaint(jpeg_of(four_components(""))),
              HasSubstr("a.jpg: must say in an Adobe segment what its 4 components are, but has no "
                        "such segment; convert it to RGB with the program that it comes from"));
  EXPECT_THAT(complaint(jpeg_of(four_components(adobe(1)))), HasSubstr("Adobe color transform"));
  EXPECT_THAT(complaint(jpeg_of(four_components(segment('\xee', "Other")))),
              HasSubstr("but has no such segment"));
}

// The bits are 0 1000 0 for each ink: 144 of 255. Colour times black is 144 * 144 / 255 = 81.3.
TEST(Jpeg, OfFourInvertedInksIsRead) {
  const Images image = read(jpeg_of(four_components(adobe(0))));
  EXPECT_EQ(image.channels, 3);
  EXPECT_THAT(image.pixels, Each(81));
  const TestFolder folder;
  put(folder / "a.jpg", jpeg_of(four_components(adobe(0))));
  EXPECT_THAT(read_image(folder / "a.jpg", 1).pixels, Each(81));
}

const std::string kThreeComponents("\x01\x11\x00\x02\x11\x00\x03\x11\x00", 9);

struct OtherKind {
  JpegParts parts;
  const char* found;
};

TEST(Jpeg, IsRefusedByWhatIsWrong) {
  const OtherKind kinds[] = {
      {{.frame = '\xc3'}, "Unsupported JPEG process"},
      {{.bits = 12}, "Unsupported JPEG data precision 12"},
      {{.height = 0}, "Empty JPEG image"},
      {{.early = huffman_table(kAc, std::string(14, '\0') + "\x02\xff", std::string(257, '\0'))},
       "Bogus Huffman table definition"},
      {{.components = kThreeComponents}, "has no data for one of its components"},
      {{.components = std::string("\x01\x01\x00", 3)}, "Bogus sampling factors"},
      {{.components = std::string("\x01\x11\x03", 3)}, "Quantization table 0x03 was not defined"},
      {{.scan_header = std::string("\x01\x01\x20\x00\x3f\x00", 6)}, "was not defined"},
      {{.scan_header = std::string("\x01\x07\x00\x00\x3f\x00", 6)}, "Invalid component ID"}};
  for (const OtherKind& kind : kinds)
    EXPECT_THAT(complaint(jpeg_of(kind.parts)), HasSubstr(kind.found));
  EXPECT_THAT(complaint("\xff\xd8\xff\xd9"), HasSubstr("JPEG datastream contains no image"));
  EXPECT_THAT(complaint("\xff\x01"),
              HasSubstr("must be a PNG or JPEG image, but reading it failed"));
}

// Each scan costs the time of a whole picture. These refine one coefficient after the other, bit by
// bit, as the standard allows, with no data but the end of the block.
TEST(Jpeg, OfMoreThan500ScansIsRefused) {
  JpegParts parts{.frame = '\xc2', .scan_header = std::string("\x01\x01\x00\x00\x00\x00", 6)};
  for (int i = 0; i < 600; ++i) {
    const int coefficient = 1 + i / 14, bit = 13 - i % 14;
    const int bits = i % 14 == 0 ? bit : 16 * (bit + 1) + bit;
    parts.late += segment('\xda', std::string("\x01\x01\x00", 3) +
                                      std::string(2, static_cast<char>(coefficient)) +
                                      static_cast<char>(bits)) +
                  "\x7f";
  }
  EXPECT_THAT(complaint(jpeg_of(parts)), HasSubstr("libjpeg says: More than 500 scans"));
}

TEST(Jpeg, SurvivesDamage) {
  const std::string kinds[] = {jpeg_of(four_intervals()), jpeg_of(four_components(adobe(2))),
                               jpeg_of({.dc = "", .ac = "", .scan = "\x4a"})};
  for (const std::string& whole : kinds)
    expect_survives_damage(whole, 700, [](const std::string& damaged) { read(damaged); });
}

}  // namespace
}  // namespace adadiff::detail
