#include "io/jpeg_tables.h"

#include <algorithm>

#include <adadiff/error.h>

#include "core/check.h"

namespace adadiff::detail {
namespace {

constexpr int kMarker = 0xFF, kStuffed = 0x00, kTemporary = 0x01, kHuffmanTables = 0xC4;
constexpr int kFirstRestart = 0xD0, kLastRestart = 0xD7, kStart = 0xD8, kEnd = 0xD9;
constexpr std::size_t kMostCodes = 256;

/// Bytes in order; behind the last one come zeros, as from stb.
class Bytes {
 public:
  explicit Bytes(std::span<const std::byte> bytes) : left_(bytes) {}
  bool at_end() const { return left_.empty(); }
  int next() {
    if (left_.empty()) return 0;
    const int byte = std::to_integer<int>(left_.front());
    left_ = left_.subspan(1);
    return byte;
  }
  void skip(std::size_t count) { left_ = left_.subspan(std::min(count, left_.size())); }

 private:
  std::span<const std::byte> left_;
};

/// The next marker, behind padding or the bytes of a scan; kEnd where there is none.
int next_marker(Bytes& bytes) {
  while (!bytes.at_end()) {
    if (bytes.next() != kMarker) continue;
    int byte = kMarker;
    while (byte == kMarker && !bytes.at_end()) byte = bytes.next();
    if (byte != kStuffed && byte != kMarker) return byte;
  }
  return kEnd;
}

bool has_content(int marker) {
  return marker != kTemporary && marker != kStart &&
         (marker < kFirstRestart || marker > kLastRestart);
}

/// Tables follow each other until the segment's length is used up; the last one may reach beyond
/// it.
void check_tables(Bytes& bytes, int length, const std::string& path) {
  while (length > 0) {
    bytes.skip(1);  // its class and number
    std::size_t codes = 0;
    for (int bits = 1; bits <= 16; ++bits) codes += static_cast<std::size_t>(bytes.next());
    if (codes > kMostCodes) {
      raise<ModelError>({path, "be an undamaged image",
                         "has a Huffman table of " + std::to_string(codes) + " codes, more than " +
                             std::to_string(kMostCodes)});
    }
    bytes.skip(codes);
    length -= 17 + static_cast<int>(codes);
  }
}

}  // namespace

void check_huffman_tables(std::span<const std::byte> jpeg, const std::string& path) {
  if (jpeg.empty() || std::to_integer<int>(jpeg.front()) != kMarker) return;
  Bytes bytes(jpeg);
  for (int marker = next_marker(bytes); marker != kEnd; marker = next_marker(bytes)) {
    if (!has_content(marker)) continue;
    const int high = bytes.next(), length = 256 * high + bytes.next() - 2;
    if (marker == kHuffmanTables) {
      check_tables(bytes, length, path);
    } else {
      bytes.skip(static_cast<std::size_t>(std::max(length, 0)));
    }
  }
}

}  // namespace adadiff::detail
