// Improved precision and recall (Kynkäänniemi et al. 2019, arXiv 1904.06991).
#pragma once

#include "features/features.h"

namespace adadiff::detail {

struct PrecisionRecall {
  double precision = 0;  ///< share of generated samples within the reference's manifold
  double recall = 0;     ///< share of reference samples within the generated ones'
};

/// A set's manifold: balls around its samples that reach to the `neighbours`-th nearest other one,
/// edge included. Needs more than `neighbours` samples of each. Distances are computed without
/// cancellation, on torch's threads. Throws InvalidArgument.
PrecisionRecall precision_recall(const Features& reference, const Features& generated,
                                 int neighbours = 3);
/// Recall alone, without the reference's own manifold, which takes longest.
double recall(const Features& reference, const Features& generated, int neighbours = 3);

}  // namespace adadiff::detail
