// Which way up a camera's picture is meant to be seen.
#pragma once

#include <cstddef>
#include <span>

#include <adadiff/image.h>

namespace adadiff::detail {

/// The orientation that Exif data in a JPEG (segment APP1) or PNG (chunk eXIf) says, in [1, 8]
/// (CIPA DC-008, 4.6.4 A); 1, as stored, where there is none that can be read.
int exif_orientation(std::span<const std::byte> image);

/// The image as its orientation means it to be seen. 5 to 8 exchange width and height.
Images turn(Images image, int orientation);

}  // namespace adadiff::detail
