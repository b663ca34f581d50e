// A picture to draw into: rectangles, and text in a bitmap font with the digits and letters that
// our legends use.
#pragma once

#include <cstdint>
#include <string_view>

#include <adadiff/image.h>

namespace adadiff::cli {

struct Color {
  std::uint8_t red = 0, green = 0, blue = 0;
};
struct Box {
  std::int64_t x = 0, y = 0, width = 0, height = 0;
};

inline constexpr int kGlyphWidth = 12,
                     kGlyphHeight = 16;  ///< pixels, gap to the next glyph included

class Canvas {
 public:
  Canvas(std::int64_t width, std::int64_t height, Color background);
  /// Parts outside of the picture are left out.
  void fill(const Box& box, Color color);
  /// Upper left corner at (x, y). Characters without a glyph are blank.
  void write(std::int64_t x, std::int64_t y, std::string_view text);
  /// The same, ending before x.
  void write_right(std::int64_t x, std::int64_t y, std::string_view text);
  Images take() && { return std::move(image_); }

 private:
  Images image_;
};

}  // namespace adadiff::cli
