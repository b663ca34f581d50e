// tr (C1 C2)^(1/2) as a sum of singular values: no root of a matrix that is not symmetric, and no noise where covariances are singular.
#include "evaluation/frechet_distance.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <Eigen/Eigenvalues>
#include <Eigen/SVD>

#include "core/check.h"

namespace adadiff::detail {
namespace {

constexpr double kSymmetric = 1e-6;  // of the largest entry: what files written in float32 keep

void check_covariance(const Eigen::MatrixXd& covariance, Eigen::Index dimensions, const std::string& where) {
  if (covariance.rows() != dimensions || covariance.cols() != dimensions) {
    raise({where, "be " + show(std::int64_t{dimensions}) + " x " + show(std::int64_t{dimensions}) + ", as long as its mean",
           "is " + show(std::int64_t{covariance.rows()}) + " x " + show(std::int64_t{covariance.cols()})});
  }
  if (!covariance.allFinite()) raise({where, "hold finite numbers", "holds NaN or infinity"});
  const double largest = covariance.cwiseAbs().maxCoeff();
  if ((covariance - covariance.transpose()).cwiseAbs().maxCoeff() > kSymmetric * largest) {
    raise({where, "be symmetric", "is not"});
  }
}

/// L with L Lᵀ = covariance, one column per eigenvalue that is more than rounding.
Eigen::MatrixXd root(const Eigen::MatrixXd& covariance, const std::string& where) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(covariance);
  const Eigen::VectorXd& values = solver.eigenvalues();  // rising
  const double largest = std::max(values.tail(1)(0), 0.0);
  const auto dimensions = static_cast<double>(values.size());
  const double rounding = largest * dimensions * std::numeric_limits<double>::epsilon();
  if (values(0) < -std::max(rounding, kSymmetric * largest)) {
    raise({where, "have no negative eigenvalue", "has " + show(values(0)) + ", and its largest is " + show(largest)});
  }
  const Eigen::Index kept = (values.array() > rounding).count();
  const Eigen::VectorXd scales = values.tail(kept).cwiseSqrt();
  return solver.eigenvectors().rightCols(kept) * scales.asDiagonal();
}

}  // namespace

FeatureStatistics feature_statistics(const Features& features) {
  check_features(features, "features", 2);
  FeatureStatistics statistics;
  statistics.mean = features.colwise().mean();
  const Features centred = features.rowwise() - statistics.mean.transpose();
  statistics.covariance.setZero(features.cols(), features.cols());
  statistics.covariance.selfadjointView<Eigen::Lower>().rankUpdate(centred.transpose());
  statistics.covariance.triangularView<Eigen::StrictlyUpper>() = statistics.covariance.transpose();
  statistics.covariance /= static_cast<double>(features.rows() - 1);
  return statistics;
}

double frechet_distance(const FeatureStatistics& reference, const FeatureStatistics& generated) {
  const Eigen::Index dimensions = reference.mean.size();
  if (dimensions < 1) raise({"reference mean", "have at least one feature", "has none"});
  if (generated.mean.size() != dimensions) {
    raise({"generated features", "have " + show(std::int64_t{dimensions}) + " numbers per sample, as the reference",
           "have " + show(std::int64_t{generated.mean.size()}), "compute both with the same network"});
  }
  check_covariance(reference.covariance, dimensions, "reference covariance");
  check_covariance(generated.covariance, dimensions, "generated covariance");
  // The eigenvalues of C1 C2 are the squared singular values of L1ᵀ L2.
  const Eigen::MatrixXd product =
      root(reference.covariance, "reference covariance").transpose() * root(generated.covariance, "generated covariance");
  const double trace_of_root = product.size() > 0 ? Eigen::BDCSVD<Eigen::MatrixXd>(product).singularValues().sum() : 0;
  const double traces = reference.covariance.trace() + generated.covariance.trace();
  return std::max((reference.mean - generated.mean).squaredNorm() + traces - 2 * trace_of_root, 0.0);
}

}  // namespace adadiff::detail
