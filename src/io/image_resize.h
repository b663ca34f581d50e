// Brings pictures of any size to the size that a network takes.
#pragma once

#include <cstdint>

#include <adadiff/image.h>

namespace adadiff::detail {

/// Cuts the largest centred part with the aspect ratio of `height` and `width` out of one image,
/// and resizes it to them. It uses Mitchell's filter to shrink and Catmull-Rom's to enlarge, on the
/// values as they are stored. Throws InvalidArgument unless there is exactly one image and the
/// sides are in [1, 65536]; std::bad_alloc.
Images crop_and_resize(const Images& image, std::int64_t height, std::int64_t width);

}  // namespace adadiff::detail
