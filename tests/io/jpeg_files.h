// JPEG files by hand, one segment after the other.
#pragma once

#include <string>

#include "io/png_files.h"

namespace adadiff::detail {

inline std::string two_bytes(int value) {
  return big_endian(static_cast<std::uint32_t>(value)).substr(2);
}

inline std::string segment(char marker, const std::string& content) {
  return std::string("\xff") + marker + two_bytes(static_cast<int>(content.size()) + 2) + content;
}

/// How many codes there are of each length, and what they stand for.
inline std::string huffman_table(char name, std::string counts, const std::string& values) {
  counts.resize(16, '\0');
  return segment('\xc4', name + counts + values);
}

inline constexpr char kDc = 0x00, kAc = 0x10;

struct JpegParts {
  std::string early{};  ///< segments before the frame's header
  int width = 8, height = 8;
  char frame = '\xc0';                                      ///< its marker
  char bits = 8;                                            ///< per value
  std::string components = std::string("\x01\x11\x00", 3);  ///< one, of one block, table 0
  std::string dc = huffman_table(kDc, "\x01",
                                 "\x04");  // the one code 0: a difference of 4 bits follows
  std::string ac = huffman_table(kAc, "\x01", std::string(1, '\0'));  // the one code 0: the end
  std::string scan_header = std::string("\x01\x01\x00\x00\x3f\x00", 6);
  std::string scan = "\x43";  // 0 1000, which is 8, and 0, the end of the block; then ones
  std::string late{};         ///< between the scan and the end
};

/// A JPEG of 8 x 8 grey pixels, unless the parts say otherwise.
inline std::string jpeg_of(const JpegParts& parts) {
  return "\xff\xd8" + parts.early + segment('\xdb', '\0' + std::string(64, '\x10')) +
         segment(parts.frame, parts.bits + two_bytes(parts.height) + two_bytes(parts.width) +
                                  static_cast<char>(parts.components.size() / 3) +
                                  parts.components) +
         parts.dc + parts.ac + segment('\xda', parts.scan_header) + parts.scan + parts.late +
         "\xff\xd9";
}

}  // namespace adadiff::detail
