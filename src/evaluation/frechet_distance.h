// Fréchet distance between Gaussians fitted to features (Heusel et al. 2017, arXiv 1706.08500, eq. 6).
#pragma once

#include <Eigen/Core>

#include "evaluation/features.h"

namespace adadiff::detail {

/// Mean and covariance (divided by samples - 1, as all published codes do).
struct FeatureStatistics {
  Eigen::VectorXd mean;        ///< [dimensions]
  Eigen::MatrixXd covariance;  ///< [dimensions, dimensions], symmetric
};

/// Needs two samples or more. Throws InvalidArgument.
FeatureStatistics feature_statistics(const Features& features);

/// |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), at least 0. Covariances may be singular. Throws InvalidArgument where dimensions differ,
/// a covariance is not symmetric or has an eigenvalue clearly below 0.
double frechet_distance(const FeatureStatistics& reference, const FeatureStatistics& generated);

}  // namespace adadiff::detail
