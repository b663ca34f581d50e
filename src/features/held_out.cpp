// Subsets of a source of images.
#include "features/held_out.h"

#include <utility>

#include "core/check.h"
#include "training/draws.h"

namespace adadiff::detail {

ImageSubset::ImageSubset(const ImageSource& whole, std::vector<std::int64_t> indices)
    : whole_(whole), indices_(std::move(indices)) {
  count = std::ssize(indices_);
  channels = whole.channels;
  height = whole.height;
  width = whole.width;
  classes = whole.classes;
  class_names = whole.class_names;
}

void ImageSubset::read(std::int64_t index, std::span<std::uint8_t> planes) const {
  whole_.read(indices_[static_cast<std::size_t>(index)], planes);
}

void ImageSubset::read_all(std::span<const std::int64_t> indices,
                           std::span<std::uint8_t> planes) const {
  std::vector<std::int64_t> of_whole;
  of_whole.reserve(indices.size());
  for (const std::int64_t index : indices)
    of_whole.push_back(indices_[static_cast<std::size_t>(index)]);
  whole_.read_all(of_whole, planes);
}

std::int64_t ImageSubset::label(std::int64_t index) const {
  return whole_.label(indices_[static_cast<std::size_t>(index)]);
}

HeldOut hold_out(const ImageSource& images, std::uint64_t seed) {
  if (images.count < 2)
    raise({"images", "be at least 2, so that some can be held out for the test",
           "are " + show(images.count)});
  DataOrder order(seed, images.count);
  const std::int64_t kept = images.count - (images.count + 9) / 10;
  std::vector<std::int64_t> training, test;
  for (std::int64_t i = 0; i < images.count; ++i)
    (i < kept ? training : test).push_back(order.index(0, images.count, i));
  return {ImageSubset(images, std::move(training)), ImageSubset(images, std::move(test))};
}

}  // namespace adadiff::detail
