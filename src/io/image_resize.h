// Pictures of any size to the one that a network takes.
#pragma once

#include <cstdint>

#include <adadiff/image.h>

namespace adadiff::detail {

/// The largest centred part of one image with the sides' ratio of `height` to `width`, resized to
/// it: Mitchell's filter downwards, Catmull-Rom's upwards, on the values as they are stored. Throws
/// InvalidArgument for other than one image and for sides out of [1, 65536]; std::bad_alloc.
Images crop_and_resize(const Images& image, std::int64_t height, std::int64_t width);

}  // namespace adadiff::detail
