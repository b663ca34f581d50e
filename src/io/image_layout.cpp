// Rearranges pixels: grids and enlargements.
#include <algorithm>
#include <cmath>

#include <adadiff/error.h>
#include <adadiff/image.h>

#include "core/check.h"
#include "io/image_check.h"

namespace adadiff {
namespace {

constexpr std::uint8_t kGapValue = 255;
constexpr std::int64_t kWidestGap = 1024;
constexpr int kLargestFactor = 256;

struct Grid {
  std::int64_t columns = 0, rows = 0, gap = 0;
};

Grid grid_of(const Images& images, std::int64_t columns, std::int64_t gap) {
  if (columns == 0)
    columns = static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(images.count))));
  columns = std::clamp<std::int64_t>(columns, 1, std::max<std::int64_t>(images.count, 1));
  return {columns, (images.count + columns - 1) / columns, gap};
}

void place(const Images& images, std::int64_t index, const Grid& grid, Images& out) {
  const std::int64_t left = index % grid.columns * (images.width + grid.gap);
  const std::int64_t top = index / grid.columns * (images.height + grid.gap);
  const std::int64_t line = images.width * images.channels;
  for (std::int64_t y = 0; y < images.height; ++y) {
    const auto from = images.pixels.begin() + (index * images.height + y) * line;
    std::copy(from, from + line,
              out.pixels.begin() + ((top + y) * out.width + left) * images.channels);
  }
}

}  // namespace

Images detail::tiled_size(const Images& images, std::int64_t columns, std::int64_t gap) {
  const Grid grid = grid_of(images, columns, gap);
  Images size{.count = 1,
              .height = grid.rows * (images.height + gap) - gap,
              .width = grid.columns * (images.width + gap) - gap,
              .channels = images.channels};
  pixel_bytes(size, "tile");
  return size;
}

Images tile(const Images& images, std::int64_t columns, std::int64_t gap) {
  detail::check_pixels(images, "tile");
  detail::require_range<InvalidArgument, std::int64_t>("tile.columns", columns, 0, INT32_MAX);
  detail::require_range<InvalidArgument, std::int64_t>("tile.gap", gap, 0, kWidestGap);
  if (images.count == 0)
    return {.height = images.height, .width = images.width, .channels = images.channels};
  const Grid grid = grid_of(images, columns, gap);
  Images out = detail::tiled_size(images, columns, gap);
  out.pixels.assign(detail::pixel_bytes(out, "tile"), kGapValue);
  for (std::int64_t i = 0; i < images.count; ++i) place(images, i, grid, out);
  return out;
}

Images enlarge(const Images& images, int factor) {
  detail::check_pixels(images, "enlarge");
  detail::require_range("enlarge.factor", factor, 1, kLargestFactor);
  Images out{.count = images.count,
             .height = images.height * factor,
             .width = images.width * factor,
             .channels = images.channels};
  out.pixels.reserve(detail::pixel_bytes(out, "enlarge"));
  for (std::int64_t y = 0; y < out.count * out.height; ++y) {
    const std::int64_t line = y / factor * images.width;
    for (std::int64_t x = 0; x < out.width; ++x) {
      const auto from = images.pixels.begin() + (line + x / factor) * images.channels;
      out.pixels.insert(out.pixels.end(), from, from + images.channels);
    }
  }
  return out;
}

}  // namespace adadiff
