// Fréchet distance between Gaussians fitted to features (Heusel et al. 2017, arXiv 1706.08500, eq.
// 6).
#pragma once

#include <string>

#include <Eigen/Core>

#include "features/features.h"

namespace adadiff::detail {

/// The mean and the covariance of features (divided by samples - 1, as in all published code).
struct FeatureStatistics {
  Eigen::VectorXd mean;        ///< [dimensions]
  Eigen::MatrixXd covariance;  ///< [dimensions, dimensions], symmetric
};

/// Computes the statistics of two samples or more. Throws InvalidArgument.
FeatureStatistics feature_statistics(const Features& features);

/// A Gaussian from which distances are measured. It is checked and factorised only once.
class GaussianReference {
 public:
  /// Throws InvalidArgument, in a message that begins with `where`, where numbers are not finite,
  /// or where the covariance is not symmetric or has an eigenvalue clearly below 0.
  explicit GaussianReference(FeatureStatistics statistics, const std::string& where = "reference");

  const FeatureStatistics& statistics() const { return statistics_; }
  /// |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), at least 0. Covariances may be singular. Throws
  /// InvalidArgument for statistics of other dimensions and for those that the constructor refuses.
  double distance(const FeatureStatistics& generated) const;
  /// Computes the distance from the samples themselves. The result is the same except for rounding,
  /// and comes faster where there are fewer samples than dimensions.
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
