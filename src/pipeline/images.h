// From the values a network works with to 8 bit pixels.
#pragma once

#include <vector>

#include <adadiff/image.h>

#include "sampling/sample_job.h"

namespace adadiff::detail {

/// `values` [n, C, H, W] of the job's image size. Pixels: the image range to 0..255, rounded half
/// up, clamped; [n, H, W, C].
Images to_images(std::vector<float> values, const SampleJob& job);

}  // namespace adadiff::detail
