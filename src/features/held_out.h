// Keeps some labelled images out of a training, so that its result can be tested on them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "training/image_source.h"

namespace adadiff::detail {

/// Some of a source's images, numbered from 0. The source must outlive the subset.
class ImageSubset final : public ImageSource {
 public:
  ImageSubset(const ImageSource& whole, std::vector<std::int64_t> indices);

  void read(std::int64_t index, std::span<std::uint8_t> planes) const override;
  void read_all(std::span<const std::int64_t> indices,
                std::span<std::uint8_t> planes) const override;
  std::int64_t label(std::int64_t index) const override;
  PictureSurvey survey() const override { return whole_.survey(); }

 private:
  const ImageSource& whole_;
  std::vector<std::int64_t> indices_;
};

struct HeldOut {
  ImageSubset training, test;
};

/// Permutes the images as the seed says and keeps the last tenth, rounded up, for the test. Throws
/// InvalidArgument for fewer than 2 images.
HeldOut hold_out(const ImageSource& images, std::uint64_t seed);

}  // namespace adadiff::detail
