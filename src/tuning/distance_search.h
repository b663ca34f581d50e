// Searches for the plan, with a guide, that is best for a budget, judged by how far its images are
// from real ones. Steps, thresholds, tilt, guide and weight are chosen together.
#pragma once

#include <adadiff/pipeline.h>
#include <adadiff/tuning.h>

#include "tuning/observed_run.h"

namespace adadiff::detail {

/// Descends as tune_by_distance says. Throws InvalidArgument.
DistanceTuningResult search_distance(const DistanceTuningOptions& options,
                                     const ModelSummary& model, const Runner& run,
                                     const ImageMeasure& measure);

/// Half the width of the 95 % interval around the difference of two distances of images from the
/// same noise; NaN where they have no groups. Throws InvalidArgument unless both have the same
/// number of groups.
double difference_half_width(const ImageQuality& first, const ImageQuality& second);

}  // namespace adadiff::detail
