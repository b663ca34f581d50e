// Judges images by their features: the distance from those of real images, and the recall.
#pragma once

#include <functional>

#include <adadiff/tuning.h>

#include "features/features.h"
#include "metrics/quality.h"

namespace adadiff::detail {

/// The number of groups of images that are left out in turn, for the interval of a difference.
inline constexpr int kMeasureGroups = 10;

/// Returns the features of images, one row per image.
using FeatureExtraction = std::function<Features(const Images& images)>;

/// A measure of images by their features. `real` must hold features and, for the Fréchet distance,
/// the Gaussian. The measure throws InvalidArgument where features do not match, and what
/// check_quality() throws.
ImageMeasure feature_measure(RealFeatures real, FeatureExtraction extract, ImageDistance distance);

}  // namespace adadiff::detail
