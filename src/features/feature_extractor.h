// Networks that turn images into the numbers that distribution metrics compare.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <adadiff/image.h>

#include "features/features.h"

namespace adadiff::detail {

/// What a feature extractor makes of images.
struct ImageFeatures {
  Features features;  ///< [images, dimensions]
  std::vector<std::int64_t>
      classes;  ///< [images] most probable class; empty where the extractor has none
};

class FeatureExtractor {
 public:
  virtual ~FeatureExtractor() = default;
  /// Of 8-bit images of 1 or 3 channels, in batches, on torch's threads. Throws InvalidArgument,
  /// ModelError.
  virtual ImageFeatures extract(const Images& images) const = 0;
  virtual std::string name() const = 0;  ///< what it is, for reports
  virtual std::vector<std::string> class_names()
      const = 0;  ///< of the classes it tells; empty where it knows none
  /// Share of images, which it was not trained on, whose class it tells; unset where nobody knows.
  virtual std::optional<double> accuracy() const { return std::nullopt; }
};

/// Throws InvalidArgument unless there are 1 or 3 channels and as many pixels as the sizes say.
void check_seen_images(const Images& images);

/// The word kTextureName (texture_features.h), or a file, told by its content: our classifier
/// (safetensors) or a TorchScript archive. Throws FileError, ModelError.
std::unique_ptr<FeatureExtractor> open_features(const std::string& path);

}  // namespace adadiff::detail
