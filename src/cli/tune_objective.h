// How far images are from real ones, for `adadiff tune --objective`.
#pragma once

#include <string>

#include <adadiff/tuning.h>

#include "cli/reference_features.h"

namespace adadiff::cli {

struct ObjectiveFlags {
  std::string name = "paired";  ///< paired, kid, frechet
  ReferenceFlags reference;
  std::string features;  ///< empty: the bundled classifier
};

/// The distance that the flags name, from the reference that they name. Throws FileError,
/// ModelError, InvalidArgument.
ImageMeasure open_objective(const ObjectiveFlags& flags, const ModelSummary& model,
                            std::int64_t samples);

}  // namespace adadiff::cli
