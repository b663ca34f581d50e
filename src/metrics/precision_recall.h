// Improved precision and recall (Kynkäänniemi et al. 2019, arXiv 1904.06991).
#pragma once

#include "features/features.h"

namespace adadiff::detail {

struct PrecisionRecall {
  double precision = 0;  ///< share of generated samples within the reference's manifold
  double recall = 0;     ///< share of reference samples within the manifold of the generated ones
};

/// The manifold of a set is made of balls around its samples. Each ball reaches to the
/// `neighbours`-th nearest other sample of the set, edge included. Both sets need more than
/// `neighbours` samples. Distances are computed without cancellation, on torch's threads. Throws
/// InvalidArgument.
PrecisionRecall precision_recall(const Features& reference, const Features& generated,
                                 int neighbours = 3);
/// Computes only the recall. This saves the manifold of the reference, which takes longest.
double recall(const Features& reference, const Features& generated, int neighbours = 3);

}  // namespace adadiff::detail
