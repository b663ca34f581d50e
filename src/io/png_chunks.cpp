// A walk over the chunks: length, type, data, checksum of type and data.
#include "io/png_chunks.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include <adadiff/error.h>

#include "core/check.h"
#include "io/checksum.h"

namespace adadiff::detail {
namespace {

constexpr std::string_view kSignature = "\x89PNG\r\n\x1a\n";
constexpr std::size_t kWord = 4;
constexpr std::size_t kFrame = 3 * kWord;  // length, type and checksum around a chunk's data

std::uint32_t word_at(std::span<const std::byte> bytes, std::size_t at) {
  std::uint32_t word = 0;
  for (const std::byte byte : bytes.subspan(at, kWord))
    word = word << 8 | std::to_integer<std::uint32_t>(byte);
  return word;
}

/// A type as it is shown: other bytes than letters are damage.
std::string shown_type(std::span<const std::byte> bytes) {
  std::string type(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::replace_if(
      type.begin(), type.end(), [](char c) { return c < 'A' || c > 'z'; }, '?');
  return type;
}

/// Of chunks that pixels do not depend on; programs that edit them in place forget their checksums,
/// and other readers take such files.
bool is_remark(const std::string& type) {
  constexpr std::array kRemarks{"tEXt", "zTXt", "iTXt", "eXIf", "tIME", "pHYs"};
  return std::find(kRemarks.begin(), kRemarks.end(), type) != kRemarks.end();
}

/// The last chunk may lack its checksum: nothing is lost with it.
bool is_end_without_checksum(std::span<const std::byte> left) {
  return left.size() >= 2 * kWord && left.size() < kFrame && word_at(left, 0) == 0 &&
         shown_type(left.subspan(kWord, kWord)) == "IEND";
}

}  // namespace

void check_png_chunks(std::span<const std::byte> png, const std::string& path) {
  const std::string_view text(reinterpret_cast<const char*>(png.data()), png.size());
  if (!text.starts_with(kSignature)) return;
  std::span<const std::byte> left = png.subspan(kSignature.size());
  for (std::string type; type != "IEND";) {
    if (is_end_without_checksum(left)) return;
    const std::size_t at = png.size() - left.size();
    const std::size_t length = left.size() >= kFrame ? word_at(left, 0) : 0;
    if (left.size() < kFrame || length > left.size() - kFrame) {
      raise<ModelError>({path, "be an undamaged image",
                         "ends within the chunk at byte " + std::to_string(at) + " of the PNG",
                         "the file seems to be cut short"});
    }
    type = shown_type(left.subspan(kWord, kWord));
    const std::uint32_t stored = word_at(left, 2 * kWord + length);
    if (!is_remark(type) && checksum_with(0, left.subspan(kWord, kWord + length)) != stored) {
      raise<ModelError>({path, "be an undamaged image",
                         "the checksum of its chunk " + type + " at byte " + std::to_string(at) +
                             " is not that of its bytes"});
    }
    left = left.subspan(kFrame + length);
  }
}

}  // namespace adadiff::detail
