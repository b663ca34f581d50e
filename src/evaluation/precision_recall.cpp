// All pairs, a row at a time: memory grows with one set, not with the product of both.
#include "evaluation/precision_recall.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/check.h"
#include "nn/parallel.h"

namespace adadiff::detail {
namespace {

/// Squared distance of each sample to its `neighbours`-th nearest other sample of the same set.
Eigen::VectorXd squared_radii(const Features& set, int neighbours) {
  Eigen::VectorXd radii(set.rows());
  parallel_rows(set.rows(), [&](std::int64_t first, std::int64_t last) {
    Eigen::VectorXd distances(set.rows());
    for (std::int64_t row = first; row < last; ++row) {
      for (Eigen::Index other = 0; other < set.rows(); ++other) distances(other) = (set.row(row) - set.row(other)).squaredNorm();
      // Without the sample itself, whose distance is 0 and never larger than another's.
      std::swap(distances(row), distances(0));
      std::nth_element(distances.begin() + 1, distances.begin() + neighbours, distances.end());
      radii(row) = distances(neighbours);
    }
  });
  return radii;
}

/// Share of `samples` that lie in one of the balls around `centres`.
double covered(const Features& samples, const Features& centres, const Eigen::VectorXd& radii) {
  std::vector<std::uint8_t> is_covered(static_cast<std::size_t>(samples.rows()));
  parallel_rows(samples.rows(), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      bool found = false;
      for (Eigen::Index centre = 0; centre < centres.rows() && !found; ++centre) {
        found = (samples.row(row) - centres.row(centre)).squaredNorm() <= radii(centre);
      }
      is_covered[static_cast<std::size_t>(row)] = found ? 1 : 0;
    }
  });
  return static_cast<double>(std::count(is_covered.begin(), is_covered.end(), 1)) / static_cast<double>(samples.rows());
}

void check_sets(const Features& reference, const Features& generated, int neighbours) {
  require_range("precision_recall.neighbours", neighbours, 1, 1000);
  check_features(reference, "reference features", neighbours + 1);
  check_features(generated, "generated features", neighbours + 1);
  check_same_dimensions(reference, generated);
}

}  // namespace

PrecisionRecall precision_recall(const Features& reference, const Features& generated, int neighbours) {
  check_sets(reference, generated, neighbours);
  return {covered(generated, reference, squared_radii(reference, neighbours)), recall(reference, generated, neighbours)};
}

double recall(const Features& reference, const Features& generated, int neighbours) {
  check_sets(reference, generated, neighbours);
  return covered(reference, generated, squared_radii(generated, neighbours));
}

}  // namespace adadiff::detail
