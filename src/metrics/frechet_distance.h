// Fréchet distance between Gaussians fitted to features (Heusel et al. 2017, arXiv 1706.08500, eq.
// 6).
#pragma once

#include <string>

#include <Eigen/Core>

#include "features/features.h"

namespace adadiff::detail {

/// Mean and covariance (divided by samples - 1, as all published codes do).
struct FeatureStatistics {
  Eigen::VectorXd mean;        ///< [dimensions]
  Eigen::MatrixXd covariance;  ///< [dimensions, dimensions], symmetric
};

/// Needs two samples or more. Throws InvalidArgument.
FeatureStatistics feature_statistics(const Features& features);

/// A Gaussian to measure from, checked and taken apart once.
class GaussianReference {
 public:
  /// Throws InvalidArgument, with `where` in front, where numbers are not finite, the covariance is
  /// not symmetric or has an eigenvalue clearly below 0.
  explicit GaussianReference(FeatureStatistics statistics, const std::string& where = "reference");

  const FeatureStatistics& statistics() const { return statistics_; }
  /// |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), at least 0. Covariances may be singular. Throws
  /// InvalidArgument for other dimensions, and what the constructor refuses.
  double distance(const FeatureStatistics& generated) const;
  /// From the samples themselves: the same but for rounding, and faster where there are fewer than
  /// dimensions.
  double distance(const Features& generated) const;

 private:
  double distance(const Eigen::VectorXd& mean, double trace,
                  const Eigen::MatrixXd& other_root) const;
  void require_dimensions(Eigen::Index found) const;

  FeatureStatistics statistics_;
  Eigen::MatrixXd root_;  ///< L with L L^T = covariance
};

/// GaussianReference(reference).distance(generated).
double frechet_distance(const FeatureStatistics& reference, const FeatureStatistics& generated);

}  // namespace adadiff::detail
