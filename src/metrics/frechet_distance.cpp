// Computes tr (C1 C2)^(1/2) as a sum of singular values. This avoids the root of a matrix that is
// not symmetric, and noise where covariances are singular.
#include "metrics/frechet_distance.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <Eigen/Eigenvalues>
#include <Eigen/SVD>

#include "core/check.h"

namespace adadiff::detail {
namespace {

constexpr double kSymmetric = 1e-6;  // as a share of the largest entry: files written in float32
                                     // keep this much symmetry

void check_statistics(const FeatureStatistics& statistics, const std::string& set) {
  const Eigen::Index dimensions = statistics.mean.size();
  if (dimensions < 1) raise({set + " mean", "have at least one feature", "has none"});
  if (!statistics.mean.allFinite())
    raise({set + " mean", "hold finite numbers", "holds NaN or infinity"});
  const Eigen::MatrixXd& covariance = statistics.covariance;
  const std::string where = set + " covariance";
  if (covariance.rows() != dimensions || covariance.cols() != dimensions) {
    raise({where,
           "be " + show(std::int64_t{dimensions}) + " x " + show(std::int64_t{dimensions}) +
               ", as long as its mean",
           "is " + show(std::int64_t{covariance.rows()}) + " x " +
               show(std::int64_t{covariance.cols()})});
  }
  if (!covariance.allFinite()) raise({where, "hold finite numbers", "holds NaN or infinity"});
  const double largest = covariance.cwiseAbs().maxCoeff();
  if ((covariance - covariance.transpose()).cwiseAbs().maxCoeff() > kSymmetric * largest) {
    raise({where, "be symmetric", "is not"});
  }
}

/// Returns L with L Lᵀ = covariance, one column per eigenvalue that is more than rounding.
Eigen::MatrixXd root(const Eigen::MatrixXd& covariance, const std::string& where) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(covariance);
  const Eigen::VectorXd& values = solver.eigenvalues();  // in rising order
  const double largest = std::max(values.tail(1)(0), 0.0);
  const auto dimensions = static_cast<double>(values.size());
  const double rounding = largest * dimensions * std::numeric_limits<double>::epsilon();
  if (values(0) < -std::max(rounding, kSymmetric * largest)) {
    raise({where, "have no negative eigenvalue",
           "has " + show(values(0)) + ", and its largest is " + show(largest)});
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

GaussianReference::GaussianReference(FeatureStatistics statistics, const std::string& where)
    : statistics_(std::move(statistics)) {
  check_statistics(statistics_, where);
  root_ = root(statistics_.covariance, where + " covariance");
}

/// The eigenvalues of C1 C2 are the squared singular values of L1ᵀ L2, for any L2 with L2 L2ᵀ = C2.
double GaussianReference::distance(const Eigen::VectorXd& mean, double trace,
                                   const Eigen::MatrixXd& other_root) const {
  const Eigen::MatrixXd product = root_.transpose() * other_root;
  const double trace_of_root = product.size() > 0
                                   ? Eigen::BDCSVD<Eigen::MatrixXd>(product).singularValues().sum()
                                   : 0;
  const double traces = statistics_.covariance.trace() + trace;
  return std::max((statistics_.mean - mean).squaredNorm() + traces - 2 * trace_of_root, 0.0);
}

double GaussianReference::distance(const FeatureStatistics& generated) const {
  require_dimensions(generated.mean.size());
  check_statistics(generated, "generated");
  return distance(generated.mean, generated.covariance.trace(),
                  root(generated.covariance, "generated covariance"));
}

double GaussianReference::distance(const Features& generated) const {
  require_dimensions(generated.cols());
  if (generated.rows() >= generated.cols()) return distance(feature_statistics(generated));
  check_features(generated, "generated features", 2);
  const Eigen::VectorXd mean = generated.colwise().mean();
  const Eigen::MatrixXd samples = (generated.rowwise() - mean.transpose()).transpose() /
                                  std::sqrt(static_cast<double>(generated.rows() - 1));
  return distance(mean, samples.squaredNorm(), samples);
}

void GaussianReference::require_dimensions(Eigen::Index found) const {
  const Eigen::Index dimensions = statistics_.mean.size();
  if (found == dimensions) return;
  raise({"generated features",
         "have " + show(std::int64_t{dimensions}) + " numbers per sample, as the reference",
         "have " + show(std::int64_t{found}), "compute both with the same network"});
}

double frechet_distance(const FeatureStatistics& reference, const FeatureStatistics& generated) {
  return GaussianReference(reference).distance(generated);
}

}  // namespace adadiff::detail
