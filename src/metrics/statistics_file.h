// What is known about a set of real images, in the .npz files that the field uses.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include <adadiff/image.h>

#include "features/features.h"
#include "metrics/frechet_distance.h"

namespace adadiff::detail {

/// The texture features of images of that size (texture_features.h).
struct ReferenceTexture {
  Features features;  ///< [N, texture_dimensions(height, width)]
  std::int64_t height = 0, width = 0, channels = 0;
};

struct Reference {
  /// `mu` [D] and `sigma` [D, D], as pytorch-fid, clean-fid, EDM and ADM name them.
  std::optional<FeatureStatistics> statistics;
  /// [N, D]: `features` (ours), `feats` (clean-fid) or `reps` (dgm-eval).
  std::optional<Features> features;
  std::optional<Images> images;  ///< `arr_0` uint8 [N, H, W, C]: ADM
  /// `texture` [N, D] with `texture_shape` [3], which is H, W, C; only in our files.
  std::optional<ReferenceTexture> texture;
};

/// What a caller can use of a reference.
struct ReferenceLimits {
  std::int64_t dimensions = 0;  ///< number of features, D; 0: any
  std::string network = {};     ///< the network that gives so many features, for errors
  /// The most features or images that are read, spread evenly.
  std::int64_t most_samples = std::numeric_limits<std::int64_t>::max();
};

/// Reads all parts of a Reference that the file holds. The file must hold at least one of the first
/// three. Statistics of another D are left out where there are images beside them, and so is a
/// `texture` without its shape. Shapes are checked before anything of their size is read. Throws
/// FileError, and ModelError, which also covers another D and features that are not finite.
Reference read_reference(const std::string& path, const ReferenceLimits& limits = {});
/// Writes `mu`, `sigma`, `features` and the texture, as far as they are known. Throws FileError.
void write_reference(const std::string& path, const Reference& reference);

}  // namespace adadiff::detail
