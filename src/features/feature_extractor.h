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

/// What a feature extractor returns for images.
struct ImageFeatures {
  Features features;  ///< [images, dimensions]
  /// [images], the most probable class of each image; empty where the extractor has no classes.
  std::vector<std::int64_t> classes;
};

class FeatureExtractor {
 public:
  virtual ~FeatureExtractor() = default;
  /// Returns the features of 8-bit images with 1 or 3 channels. It works in batches, on torch's
  /// threads. Throws InvalidArgument, ModelError.
  virtual ImageFeatures extract(const Images& images) const = 0;
  virtual std::string name() const = 0;  ///< a description of the extractor for reports
  /// The names of the classes that the extractor knows; empty where it knows none.
  virtual std::vector<std::string> class_names() const = 0;
  /// The share of images, none of them used to train the extractor, whose class it gets right;
  /// unset where this is not known.
  virtual std::optional<double> accuracy() const { return std::nullopt; }
};

/// Throws InvalidArgument unless there are 1 or 3 channels and as many pixels as the sizes say.
void check_seen_images(const Images& images);

/// Opens the extractor that `path` names: the word kTextureName (texture_features.h), or a file,
/// whose content tells whether it is a classifier of ours (safetensors) or a TorchScript archive.
/// Throws FileError, ModelError.
std::unique_ptr<FeatureExtractor> open_features(const std::string& path);

}  // namespace adadiff::detail
