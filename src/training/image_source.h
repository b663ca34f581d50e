// Where training images come from.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <adadiff/image.h>
#include <adadiff/training.h>

namespace adadiff::detail {

/// Labelled 8-bit images of one size.
class ImageSource {
 public:
  virtual ~ImageSource() = default;

  /// Reads image `index` as planes [channels, height, width]. Only one thread may call it at a
  /// time. Throws FileError, ModelError.
  virtual void read(std::int64_t index, std::span<std::uint8_t> planes) const = 0;
  /// Reads several images, one after the other, as read() would give them.
  virtual void read_all(std::span<const std::int64_t> indices,
                        std::span<std::uint8_t> planes) const;
  /// The label of an image, in [0, classes), or -1 where there are no labels.
  virtual std::int64_t label(std::int64_t index) const = 0;

  /// Reads the beginnings of at most 1,000 pictures; those that cannot be read are left out.
  virtual PictureSurvey survey() const { return {}; }

  std::int64_t values() const { return channels * height * width; }

  std::int64_t count = 0, channels = 0, height = 0, width = 0;
  std::int64_t classes = 0;              ///< 0 without labels
  std::vector<std::string> class_names;  ///< where the source knows them
  std::int64_t ignored = 0;       ///< files among the images that are not images by their names
  std::uint64_t fingerprint = 0;  ///< hash of pixels and labels, or of the names of the pictures;
                                  ///< other images have another fingerprint
};

/// Images in memory.
class ImageSet final : public ImageSource {
 public:
  void read(std::int64_t index, std::span<std::uint8_t> planes) const override;
  std::int64_t label(std::int64_t index) const override;

  std::vector<std::uint8_t> pixels;  ///< [count, channels, height, width]
  std::vector<std::uint8_t> labels;  ///< [count] or empty
};

/// Reads IDX files of images [N, H, W] or [N, C, H, W] and labels [N] (empty path: none). Throws
/// FileError, ModelError.
ImageSet read_image_set(const std::string& images, const std::string& labels);

/// Reads some of the source's images, [N, height, width, channels]. Throws what read() throws.
Images read_images(const ImageSource& source, const std::vector<std::int64_t>& indices);

/// What a training says about its images before it begins.
TrainingImages training_images(const ImageSource& source);

/// The root mean square of the values in [-1, 1], over at most 128 images spread evenly.
double data_std(const ImageSource& source);

}  // namespace adadiff::detail
