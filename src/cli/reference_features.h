// What `adadiff evaluate` knows of real images, from the file or folder that holds them.
#pragma once

#include <cstdint>
#include <string>

#include <adadiff/pipeline.h>

#include "features/feature_extractor.h"
#include "metrics/quality.h"

namespace adadiff::cli {

struct ReferenceFlags {
  std::string path;  ///< .npz of statistics, features or images; an IDX file of images; a folder of
                     ///< pictures
  std::int64_t images = 10000;  ///< at most so many of them, spread evenly
  std::string save;             ///< .npz to write statistics, features and texture to; empty: none
};

struct ReferenceFeatures {
  detail::RealFeatures seen;     ///< what the extractor sees
  detail::RealFeatures texture;  ///< empty unless the reference gives two or more images of the
                                 ///< model's size and channels, or their texture
};

/// How many numbers the extractor makes of an image of the model's size. Throws InvalidArgument,
/// ModelError.
std::int64_t feature_dimensions(const detail::FeatureExtractor& extractor,
                                const ModelSummary& model);

/// The extractor gives `dimensions` numbers. Pictures of a folder are brought to the model's size.
/// Throws FileError, ModelError, InvalidArgument.
ReferenceFeatures reference_features(const ReferenceFlags& flags,
                                     const detail::FeatureExtractor& extractor,
                                     std::int64_t dimensions, const ModelSummary& model);

}  // namespace adadiff::cli
