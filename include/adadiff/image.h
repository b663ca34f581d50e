// Images as plain memory, and the files they come from and go to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace adadiff {

/// `count` images of one size. pixels are [count, height, width, channels], 8 bit, rounded half up.
struct Images {
  std::int64_t count = 0, height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> pixels = {};
  /// [count, channels, height, width] in the model's image range, unclamped; may be empty.
  std::vector<float> values = {};
};

/// Lays images out in `columns` columns (0: near square) with `gap` pixels between them, as one
/// image.
Images tile(const Images& images, std::int64_t columns = 0, std::int64_t gap = 2);
/// Enlarges by a whole factor, nearest neighbour.
Images enlarge(const Images& images, int factor);
/// Writes one image, or several as a grid, as PNG; 1 or 3 channels. The file is replaced in one
/// piece. Throws FileError.
void write_png(const Images& images, const std::string& path);
/// Reads a PNG or JPEG of at most 256 megapixels as 1 or 3 channels (0: as stored), turned as its
/// Exif data says; transparency is dropped. Throws FileError, ModelError.
Images read_image(const std::string& path, int channels = 0);

}  // namespace adadiff
