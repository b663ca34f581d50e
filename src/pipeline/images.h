// Turns the values that a network works with into 8-bit pixels.
#pragma once

#include <vector>

#include <adadiff/image.h>

#include "sampling/sample_job.h"

namespace adadiff::detail {

/// `values` is [n, C, H, W] of the job's image size. The pixels [n, H, W, C] map the image range to
/// 0..255, rounded half up and clamped.
Images to_images(std::vector<float> values, const SampleJob& job);

}  // namespace adadiff::detail
