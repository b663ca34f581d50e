// What is known of a set of real images, as the field's .npz files hold it.
#pragma once

#include <optional>
#include <string>

#include <adadiff/image.h>

#include "evaluation/features.h"
#include "evaluation/frechet_distance.h"

namespace adadiff::detail {

struct Reference {
  std::optional<FeatureStatistics> statistics;  ///< `mu` [D] and `sigma` [D, D]: pytorch-fid, clean-fid, EDM, ADM
  std::optional<Features> features;             ///< [N, D]: `features` (ours), `feats` (clean-fid), `reps` (dgm-eval)
  std::optional<Images> images;                 ///< `arr_0` uint8 [N, H, W, C]: ADM
};

/// All that the file holds of these, at least one. Throws FileError, ModelError.
Reference read_reference(const std::string& path);
/// `mu`, `sigma` and `features`, as far as they are known. Throws FileError.
void write_reference(const std::string& path, const Reference& reference);

}  // namespace adadiff::detail
