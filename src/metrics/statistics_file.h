// What is known of a set of real images, as the field's .npz files hold it.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include <adadiff/image.h>

#include "features/features.h"
#include "metrics/frechet_distance.h"

namespace adadiff::detail {

/// The texture of images of that size (texture_features.h).
struct ReferenceTexture {
  Features features;  ///< [N, texture_dimensions(height, width)]
  std::int64_t height = 0, width = 0, channels = 0;
};

struct Reference {
  std::optional<FeatureStatistics>
      statistics;  ///< `mu` [D] and `sigma` [D, D]: pytorch-fid, clean-fid, EDM, ADM
  std::optional<Features>
      features;  ///< [N, D]: `features` (ours), `feats` (clean-fid), `reps` (dgm-eval)
  std::optional<Images> images;  ///< `arr_0` uint8 [N, H, W, C]: ADM
  std::optional<ReferenceTexture>
      texture;  ///< `texture` [N, D] with `texture_shape` [3], which is H, W, C; ours only
};

/// What a caller can use.
struct ReferenceLimits {
  std::int64_t dimensions = 0;  ///< of features, D; 0: any
  std::string network = {};     ///< that gives so many, for errors
  std::int64_t most_samples = std::numeric_limits<std::int64_t>::max();  ///< of features or images,
                                                                         ///< spread evenly
};

/// All that the file holds of these, at least one of the first three; statistics of another D
/// beside images are left out, and so is a `texture` without its shape. Shapes are checked before
/// anything of their size is read. Throws FileError; ModelError, for another D and for features
/// that are not finite too.
Reference read_reference(const std::string& path, const ReferenceLimits& limits = {});
/// `mu`, `sigma`, `features` and the texture, as far as they are known. Throws FileError.
void write_reference(const std::string& path, const Reference& reference);

}  // namespace adadiff::detail
