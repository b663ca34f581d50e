// A picture to draw into: rectangles, and text in a bitmap font with the digits and letters that
// our legends use.
#include "cli/canvas.h"

#include <algorithm>
#include <array>

namespace adadiff::cli {
namespace {

constexpr int kScale = 2;  // pixels per dot
constexpr int kDots = 5;   // dots per row of a glyph
constexpr int kRows = 7;
constexpr Color kInk{40, 40, 40};

struct Glyph {
  char letter;
  std::array<std::uint8_t, kRows> rows;  // bit 4 is the leftmost dot
};

constexpr Glyph kGlyphs[] = {
    {'0', {0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110}},
    {'1', {0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110}},
    {'2', {0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111}},
    {'3', {0b11110, 0b00001, 0b00001, 0b01110, 0b00001, 0b00001, 0b11110}},
    {'4', {0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010}},
    {'5', {0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110}},
    {'6', {0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110}},
    {'7', {0b11111, 0b00001, 0b00010, 0b00100, 0b00100, 0b01000, 0b01000}},
    {'8', {0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110}},
    {'9', {0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100}},
    {'a', {0b00000, 0b00000, 0b01110, 0b00001, 0b01111, 0b10001, 0b01111}},
    {'b', {0b10000, 0b10000, 0b11110, 0b10001, 0b10001, 0b10001, 0b11110}},
    {'c', {0b00000, 0b00000, 0b01110, 0b10000, 0b10000, 0b10001, 0b01110}},
    {'e', {0b00000, 0b00000, 0b01110, 0b10001, 0b11111, 0b10000, 0b01110}},
    {'i', {0b00100, 0b00000, 0b01100, 0b00100, 0b00100, 0b00100, 0b01110}},
    {'k', {0b10000, 0b10000, 0b10010, 0b10100, 0b11000, 0b10100, 0b10010}},
    {'l', {0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110}},
    {'m', {0b00000, 0b00000, 0b11010, 0b10101, 0b10101, 0b10101, 0b10101}},
    {'n', {0b00000, 0b00000, 0b11110, 0b10001, 0b10001, 0b10001, 0b10001}},
    {'o', {0b00000, 0b00000, 0b01110, 0b10001, 0b10001, 0b10001, 0b01110}},
    {'p', {0b00000, 0b00000, 0b11110, 0b10001, 0b11110, 0b10000, 0b10000}},
    {'r', {0b00000, 0b00000, 0b10110, 0b11001, 0b10000, 0b10000, 0b10000}},
    {'s', {0b00000, 0b00000, 0b01111, 0b10000, 0b01110, 0b00001, 0b11110}},
    {'t', {0b01000, 0b01000, 0b11100, 0b01000, 0b01000, 0b01001, 0b00110}},
    {'u', {0b00000, 0b00000, 0b10001, 0b10001, 0b10001, 0b10011, 0b01101}},
    {'v', {0b00000, 0b00000, 0b10001, 0b10001, 0b10001, 0b01010, 0b00100}},
};

const Glyph* find_glyph(char letter) {
  const auto* found = std::find_if(std::begin(kGlyphs), std::end(kGlyphs),
                                   [&](const Glyph& g) { return g.letter == letter; });
  return found == std::end(kGlyphs) ? nullptr : found;
}

void draw(Canvas& canvas, std::int64_t x, std::int64_t y, const Glyph& glyph) {
  for (int row = 0; row < kRows; ++row) {
    for (int dot = 0; dot < kDots; ++dot) {
      const bool is_set = (glyph.rows[static_cast<std::size_t>(row)] >> (kDots - 1 - dot) & 1) != 0;
      if (is_set) canvas.fill({x + dot * kScale, y + row * kScale, kScale, kScale}, kInk);
    }
  }
}

}  // namespace

Canvas::Canvas(std::int64_t width, std::int64_t height, Color background) {
  image_.count = 1;
  image_.height = height;
  image_.width = width;
  image_.channels = 3;
  image_.pixels.resize(static_cast<std::size_t>(width * height * 3));
  fill({0, 0, width, height}, background);
}

void Canvas::fill(const Box& box, Color color) {
  const std::int64_t left = std::max<std::int64_t>(box.x, 0),
                     right = std::min(box.x + box.width, image_.width);
  const std::int64_t top = std::max<std::int64_t>(box.y, 0),
                     bottom = std::min(box.y + box.height, image_.height);
  for (std::int64_t y = top; y < bottom; ++y) {
    for (std::int64_t x = left; x < right; ++x) {
      std::uint8_t* pixel = image_.pixels.data() + (y * image_.width + x) * 3;
      pixel[0] = color.red;
      pixel[1] = color.green;
      pixel[2] = color.blue;
    }
  }
}

void Canvas::write(std::int64_t x, std::int64_t y, std::string_view text) {
  for (const char letter : text) {
    if (const Glyph* glyph = find_glyph(letter)) draw(*this, x, y, *glyph);
    x += kGlyphWidth;
  }
}

void Canvas::write_right(std::int64_t x, std::int64_t y, std::string_view text) {
  write(x - static_cast<std::int64_t>(text.size()) * kGlyphWidth, y, text);
}

}  // namespace adadiff::cli
