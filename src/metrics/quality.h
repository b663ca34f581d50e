// What the distribution metrics say of one set of generated images.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "features/features.h"
#include "metrics/frechet_distance.h"
#include "metrics/grouped_distance.h"
#include "metrics/kernel_distance.h"
#include "metrics/precision_recall.h"

namespace adadiff::detail {

/// What is known of the real images; either may be missing.
struct RealFeatures {
  std::optional<GaussianReference> gaussian;  ///< for the Fréchet distance
  std::optional<Features> features;           ///< for all others
};

struct QualityOptions {
  KernelSubsets subsets = {};
  std::uint64_t seed = 0;  ///< of the subsets
  int neighbours = 3;      ///< of precision and recall
  int groups = 0;          ///< of samples, left out one after the other; 0: none
};

/// Unset where the reference does not give it; precision and recall also where there are too few
/// samples.
struct Quality {
  std::optional<double> frechet;
  std::optional<KernelDistance> kernel;  ///< its deviation is NaN where subsets hold a whole set
  std::optional<PrecisionRecall> manifold;
  std::optional<GroupedDistance> grouped_kernel, grouped_frechet;
  std::int64_t subset_size = 0;
};

/// Throws InvalidArgument where so many samples cannot be measured like this: before they are
/// drawn, which may take hours.
void check_quality(const RealFeatures& real, std::int64_t samples, const QualityOptions& options);

/// What a measurement rests on.
struct Evidence {
  std::int64_t samples = 0, references = 0;  ///< images; no references: nothing is compared
  std::int64_t dimensions = 0;               ///< of features
  std::optional<double> accuracy = {};       ///< of the classifier that sees the images
};
/// Why numbers that rest on so little say little, one sentence each; empty where they do not.
std::vector<std::string> doubts(const Evidence& evidence);

/// Throws InvalidArgument where features do not match, and what check_quality() throws.
Quality measure_quality(const RealFeatures& real, const Features& generated,
                        const QualityOptions& options);

/// The classifier's numbers of a model's labels: by name where both sides have names, else the
/// same. Nothing where the classifier has not all of the names.
std::optional<std::vector<std::int64_t>> classes_of_labels(
    const std::vector<std::int64_t>& labels, const std::vector<std::string>& model_names,
    const std::vector<std::string>& classifier_names);

/// Share of images that the classifier takes for what they should be; labels are cycled through.
/// Throws InvalidArgument where either is empty.
double class_agreement(const std::vector<std::int64_t>& classes,
                       const std::vector<std::int64_t>& labels);

}  // namespace adadiff::detail
