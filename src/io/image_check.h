// Checks whether images have as many pixels as their sizes promise.
#pragma once

#include <cstddef>
#include <string>

#include <adadiff/image.h>

namespace adadiff::detail {

inline constexpr std::size_t kMostPixels = std::size_t{256} << 20;

/// count * height * width * channels; throws InvalidArgument where a size is negative or there are
/// more than 256 megapixels.
std::size_t pixel_bytes(const Images& images, const std::string& where);
/// Throws InvalidArgument unless `pixels` holds exactly that many bytes.
void check_pixels(const Images& images, const std::string& where);

/// The sizes of the image that tile() makes, without its pixels; throws InvalidArgument for more
/// than 256 megapixels.
Images tiled_size(const Images& images, std::int64_t columns, std::int64_t gap);

}  // namespace adadiff::detail
