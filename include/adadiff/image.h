// Images in plain memory, and the functions that read and write image files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace adadiff {

/// `count` images of one size. `pixels` is [count, height, width, channels] with 8 bits per value,
/// rounded half up.
struct Images {
  std::int64_t count = 0, height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> pixels = {};
  /// [count, channels, height, width] in the model's image range, unclamped; may be empty.
  std::vector<float> values = {};
};

/// Lays the images out as one image with `columns` columns (0: a nearly square grid) and `gap`
/// pixels between neighbours.
Images tile(const Images& images, std::int64_t columns = 0, std::int64_t gap = 2);
/// Enlarges the images by a whole factor with nearest-neighbour sampling.
Images enlarge(const Images& images, int factor);
/// Writes one image, or several as a grid, to a PNG file with 1 or 3 channels. The file is replaced
/// atomically. Throws FileError.
void write_png(const Images& images, const std::string& path);
/// Reads a PNG or JPEG file of at most 256 megapixels as an image with 1 or 3 channels (0: as
/// stored). The image is turned as its Exif data says, and transparency is dropped. A file that
/// is cut short, or damaged as far as its format tells, is refused. Throws FileError, ModelError.
Images read_image(const std::string& path, int channels = 0);

}  // namespace adadiff
