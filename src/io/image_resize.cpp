// The one file with stb's resizer.
#include "io/image_resize.h"

#include <algorithm>
#include <new>

#include <adadiff/error.h>

#include "core/check.h"
#include "io/image_check.h"

#define STB_IMAGE_RESIZE_STATIC
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb_image_resize.h>
#pragma GCC diagnostic pop

namespace adadiff::detail {
namespace {

constexpr std::int64_t kLongestSide = 65536;

struct Crop {
  std::int64_t top = 0, left = 0, height = 0, width = 0;
};

Crop centre_crop(const Images& image, std::int64_t height, std::int64_t width) {
  Crop crop;
  crop.height = std::clamp<std::int64_t>(image.width * height / width, 1, image.height);
  crop.width = std::clamp<std::int64_t>(image.height * width / height, 1, image.width);
  crop.top = (image.height - crop.height) / 2;
  crop.left = (image.width - crop.width) / 2;
  return crop;
}

}  // namespace

Images crop_and_resize(const Images& image, std::int64_t height, std::int64_t width) {
  require_range<InvalidArgument, std::int64_t>("crop_and_resize.height", height, 1, kLongestSide);
  require_range<InvalidArgument, std::int64_t>("crop_and_resize.width", width, 1, kLongestSide);
  require_range<InvalidArgument, std::int64_t>("crop_and_resize.image.height", image.height, 1,
                                               kLongestSide);
  require_range<InvalidArgument, std::int64_t>("crop_and_resize.image.width", image.width, 1,
                                               kLongestSide);
  check_pixels(image, "crop_and_resize");
  if (image.count != 1)
    raise({"crop_and_resize.image", "be one image", "are " + show(image.count)});
  const Crop crop = centre_crop(image, height, width);
  Images out{.count = 1, .height = height, .width = width, .channels = image.channels};
  out.pixels.resize(pixel_bytes(out, "crop_and_resize"));
  const std::int64_t line = image.width * image.channels;
  const std::uint8_t* from = image.pixels.data() + crop.top * line + crop.left * image.channels;
  if (crop.height == height && crop.width == width) {
    for (std::int64_t y = 0; y < height; ++y)
      std::copy_n(from + y * line, width * image.channels,
                  out.pixels.data() + y * width * image.channels);
    return out;
  }
  const auto side = [](std::int64_t length) { return static_cast<int>(length); };
  const int is_done = stbir_resize_uint8(from, side(crop.width), side(crop.height), side(line),
                                         out.pixels.data(), side(width), side(height), 0,
                                         side(image.channels));
  if (is_done == 0) throw std::bad_alloc();
  return out;
}

}  // namespace adadiff::detail
