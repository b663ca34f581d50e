// Which way up a camera's picture should be shown.
#pragma once

#include <cstddef>
#include <span>

#include <adadiff/image.h>

namespace adadiff::detail {

/// The orientation, in [1, 8], that the Exif data of a JPEG (segment APP1) or PNG (chunk eXIf)
/// states (CIPA DC-008, 4.6.4 A); 1, which means as stored, where none can be read.
int exif_orientation(std::span<const std::byte> image);

/// The image turned as its orientation asks. Orientations 5 to 8 exchange width and height.
Images turn(Images image, int orientation);

}  // namespace adadiff::detail
