// Rounds and turns planes of channels into pixels.
#include "pipeline/images.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace adadiff::detail {
namespace {

struct Range {
  double low, scale;
};

std::uint8_t to_pixel(float value, const Range& range) {
  const double level = std::floor((static_cast<double>(value) - range.low) * range.scale + 0.5);
  return static_cast<std::uint8_t>(std::clamp(level, 0.0, 255.0));
}

}  // namespace

Images to_images(std::vector<float> values, const SampleJob& job) {
  const NetworkInfo& info = job.network->info();
  const double low = static_cast<double>(job.process.image_min);
  const Range range{low, 255 / (static_cast<double>(job.process.image_max) - low)};
  const std::int64_t plane = info.height * info.width;
  Images images{static_cast<std::int64_t>(values.size()) / job.image_values(),
                info.height,
                info.width,
                info.channels,
                {},
                {}};
  images.pixels.resize(values.size());
  std::uint8_t* pixel = images.pixels.data();
  for (std::int64_t image = 0; image < images.count; ++image) {
    const float* first = values.data() + image * job.image_values();
    for (std::int64_t place = 0; place < plane; ++place) {
      for (std::int64_t channel = 0; channel < info.channels; ++channel)
        *pixel++ = to_pixel(first[channel * plane + place], range);
    }
  }
  images.values = std::move(values);
  return images;
}

}  // namespace adadiff::detail
