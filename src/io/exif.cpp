// Finds the Exif block of a JPEG or PNG and the one tag of it that matters here.
#include "io/exif.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

namespace adadiff::detail {
namespace {

using Bytes = std::span<const std::byte>;

constexpr int kAsStored = 1;

/// Numbers of a TIFF structure, in its byte order; 0 beyond its end.
class Tiff {
 public:
  explicit Tiff(Bytes bytes) : bytes_(bytes), is_big_endian_(!bytes.empty() && at(0) == 'M') {}

  bool is_valid() const {
    const bool has_order = at(0) == at(1) && (at(0) == 'I' || at(0) == 'M');
    return has_order && number(2, 2) == 42;
  }
  std::uint32_t number(std::size_t offset, int size) const {
    std::uint32_t value = 0;
    for (int i = 0; i < size; ++i) {
      const auto place = static_cast<std::size_t>(is_big_endian_ ? i : size - 1 - i);
      value = value << 8 | at(offset + place);
    }
    return value;
  }

 private:
  std::uint32_t at(std::size_t offset) const {
    return offset < bytes_.size() ? std::to_integer<std::uint32_t>(bytes_[offset]) : 0;
  }

  Bytes bytes_;
  bool is_big_endian_;
};

int orientation_of(Bytes block) {
  constexpr std::uint32_t kOrientation = 0x0112, kShort = 3;
  const Tiff tiff(block);
  if (!tiff.is_valid()) return kAsStored;
  const std::size_t directory = tiff.number(4, 4);
  const std::uint32_t entries = tiff.number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;
    if (entry >= block.size()) break;
    if (tiff.number(entry, 2) != kOrientation || tiff.number(entry + 2, 2) != kShort) continue;
    const std::uint32_t value = tiff.number(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : kAsStored;
  }
  return kAsStored;
}

std::size_t big_endian(Bytes bytes, std::size_t offset, std::size_t size) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < size; ++i)
    value = value << 8 | std::to_integer<std::size_t>(bytes[offset + i]);
  return value;
}

bool has_text(Bytes bytes, std::size_t offset, std::string_view text) {
  return offset + text.size() <= bytes.size() &&
         std::memcmp(bytes.data() + offset, text.data(), text.size()) == 0;
}

/// The Exif block of a JPEG: segments follow each other until the scan begins.
Bytes block_of_jpeg(Bytes jpeg) {
  constexpr std::string_view kExif{"Exif\0\0", 6};
  constexpr std::size_t kScan = 0xFFDA, kApp1 = 0xFFE1;
  for (std::size_t at = 2; at + 4 <= jpeg.size();) {
    const std::size_t marker = big_endian(jpeg, at, 2), length = big_endian(jpeg, at + 2, 2);
    if (marker < 0xFF00 || marker == kScan || length < 2) break;
    const std::size_t content = at + 4, end = std::min(at + 2 + length, jpeg.size());
    if (marker == kApp1 && has_text(jpeg, content, kExif) && content + kExif.size() <= end)
      return jpeg.subspan(content + kExif.size(), end - content - kExif.size());
    at += 2 + length;
  }
  return {};
}

/// The chunk eXIf of a PNG.
Bytes block_of_png(Bytes png) {
  for (std::size_t at = 8; at + 12 <= png.size();) {
    const std::size_t length = big_endian(png, at, 4);
    if (length > png.size() - at - 12) break;
    if (has_text(png, at + 4, "eXIf")) return png.subspan(at + 8, length);
    at += 12 + length;
  }
  return {};
}

}  // namespace

int exif_orientation(Bytes image) {
  if (has_text(image, 0, "\x89PNG\r\n\x1a\n")) return orientation_of(block_of_png(image));
  if (has_text(image, 0, "\xff\xd8")) return orientation_of(block_of_jpeg(image));
  return kAsStored;
}

Images turn(Images image, int orientation) {
  if (orientation <= kAsStored || orientation > 8) return image;
  const std::int64_t high = image.height, wide = image.width, channels = image.channels;
  const bool is_sideways = orientation >= 5;
  Images turned{.count = 1,
                .height = is_sideways ? wide : high,
                .width = is_sideways ? high : wide,
                .channels = channels};
  turned.pixels.resize(image.pixels.size());
  std::uint8_t* to = turned.pixels.data();
  for (std::int64_t y = 0; y < turned.height; ++y) {
    for (std::int64_t x = 0; x < turned.width; ++x) {
      // Where pixel (y, x) is stored: rows and columns exchanged in 5 to 8, then each mirrored.
      const std::int64_t row = is_sideways ? x : y, column = is_sideways ? y : x;
      const bool from_below = orientation == 3 || orientation == 4 || orientation == 6 ||
                              orientation == 7;
      const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 ||
                              orientation == 8;
      const std::int64_t stored = (from_below ? high - 1 - row : row) * wide +
                                  (from_right ? wide - 1 - column : column);
      std::memcpy(to, image.pixels.data() + stored * channels, static_cast<std::size_t>(channels));
      to += channels;
    }
  }
  return turned;
}

}  // namespace adadiff::detail
