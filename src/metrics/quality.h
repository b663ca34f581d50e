// What the distribution metrics say about one set of generated images.
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

/// What is known about the real images; either field may be missing.
struct RealFeatures {
  std::optional<GaussianReference> gaussian;  ///< for the Fréchet distance
  std::optional<Features> features;           ///< for all other metrics
};

struct QualityOptions {
  KernelSubsets subsets = {};
  std::uint64_t seed = 0;  ///< seed of the subsets
  int neighbours = 3;      ///< neighbours for precision and recall
  int groups = 0;          ///< groups of samples that are left out one after the other; 0: no
                           ///< groups
};

/// The metrics of a set. A metric is unset where the reference does not give it; precision and
/// recall are also unset where there are too few samples.
struct Quality {
  std::optional<double> frechet;
  std::optional<KernelDistance> kernel;  ///< its deviation is NaN where each subset holds a whole
                                         ///< set
  std::optional<PrecisionRecall> manifold;
  std::optional<GroupedDistance> grouped_kernel, grouped_frechet;
  std::int64_t subset_size = 0;
};

/// Throws InvalidArgument where this number of samples cannot be measured with these options. Call
/// it before the samples are drawn, since drawing may take hours.
void check_quality(const RealFeatures& real, std::int64_t samples, const QualityOptions& options);

/// What a measurement is based on.
struct Evidence {
  std::int64_t samples = 0, references = 0;  ///< numbers of images; 0 references: nothing is
                                             ///< compared
  std::int64_t dimensions = 0;               ///< number of features
  std::optional<double> accuracy = {};       ///< accuracy of the classifier that looks at the
                                             ///< images
};
/// The reasons why numbers with so little behind them say little, one sentence each; empty where
/// there are none.
std::vector<std::string> doubts(const Evidence& evidence);

/// Measures generated features. Throws InvalidArgument where the features do not match, and what
/// check_quality() throws.
Quality measure_quality(const RealFeatures& real, const Features& generated,
                        const QualityOptions& options);

/// The classifier's class for each of the model's labels: the class of the same name where both
/// sides have names, else the same number. Nothing where the classifier lacks one of the names.
std::optional<std::vector<std::int64_t>> classes_of_labels(
    const std::vector<std::int64_t>& labels, const std::vector<std::string>& model_names,
    const std::vector<std::string>& classifier_names);

/// The share of images whose class, as the classifier sees it, is the one they should have; labels
/// are cycled through. Throws InvalidArgument where `classes` or `labels` is empty.
double class_agreement(const std::vector<std::int64_t>& classes,
                       const std::vector<std::int64_t>& labels);

}  // namespace adadiff::detail
