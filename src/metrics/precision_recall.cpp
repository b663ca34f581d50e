// Compares all pairs in blocks, so that memory grows with one set and with the threads, not with
// the product of both sets. For nearly every pair, a distance from a matrix product decides. Only
// where its rounding could change the decision is the distance computed without cancellation, so
// the result is the same as with such distances for all pairs.
#include "metrics/precision_recall.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <ATen/ATen.h>

#include "core/check.h"
#include "device/parallel.h"
#include "features/feature_tensor.h"

namespace adadiff::detail {
namespace {

// The most rows and distances of a block, which holds rows of one set against all rows of the
// other.
constexpr std::int64_t kMostRows = 64, kMostDistances = std::int64_t{1} << 20;

/// Squared distances between the rows of two sets.
class Distances {
 public:
  Distances(const Features& rows, const Features& others)
      : rows_(rows),
        others_(others),
        row_squares_(rows.rowwise().squaredNorm()),
        other_squares_(others.rowwise().squaredNorm()) {}

  /// The distances of rows first to last - 1, [last - first, others], computed as
  /// |a|^2 + |b|^2 - 2 a b. Each is off by at most the margin() of its row.
  Features nearly(std::int64_t first, std::int64_t last) const {
    const at::Tensor products = at::mm(as_tensor(rows_).narrow(0, first, last - first),
                                       as_tensor(others_).t())
                                    .contiguous();
    const Eigen::Map<const Features> dots(products.const_data_ptr<double>(), last - first,
                                          others_.rows());
    return ((-2 * dots).rowwise() + other_squares_.transpose()).colwise() +
           row_squares_.segment(first, last - first);
  }
  /// The largest error of the distances of a row. A sum of n products is off by at most about
  /// n eps |a| |b| (Higham 2002, section 3.1); the factor 4 leaves room for the rest.
  double margin(std::int64_t row) const {
    const double terms = 4 * static_cast<double>(rows_.cols() + 4);
    return terms * std::numeric_limits<double>::epsilon() *
           (row_squares_(row) + largest_other_square_);
  }
  std::int64_t others() const { return others_.rows(); }
  double exact(std::int64_t row, std::int64_t other) const {
    return (rows_.row(row) - others_.row(other)).squaredNorm();
  }

 private:
  const Features &rows_, &others_;
  Eigen::VectorXd row_squares_, other_squares_;
  double largest_other_square_ = other_squares_.maxCoeff();
};

/// Calls work(row, approximate distances of the row to all others) for every row.
template <class Work>
void for_each_row(const Distances& distances, std::int64_t rows, const Work& work) {
  const std::int64_t rows_at_once = std::clamp<std::int64_t>(kMostDistances / distances.others(), 1,
                                                             kMostRows);
  parallel_rows((rows + rows_at_once - 1) / rows_at_once, [&](std::int64_t first_block,
                                                              std::int64_t last_block) {
    for (std::int64_t block = first_block; block < last_block; ++block) {
      const std::int64_t first = block * rows_at_once, last = std::min(first + rows_at_once, rows);
      Features near = distances.nearly(first, last);
      for (std::int64_t row = first; row < last; ++row) work(row, near.row(row - first));
    }
  });
}

/// The squared distance of each sample to its `neighbours`-th nearest other sample of the same set.
Eigen::VectorXd squared_radii(const Features& set, int neighbours) {
  const Distances distances(set, set);
  Eigen::VectorXd radii(set.rows());
  for_each_row(distances, set.rows(), [&](std::int64_t row, auto near) {
    near(row) = std::numeric_limits<double>::infinity();  // the sample itself is not a neighbour
    std::vector<double> nearest(static_cast<std::size_t>(neighbours));
    std::partial_sort_copy(near.data(), near.data() + near.size(), nearest.begin(), nearest.end());
    const double margin = distances.margin(row), reach = nearest.back() + 2 * margin;
    const bool takes_all = !std::isfinite(margin);  // true for numbers whose squares overflow
    std::vector<double> candidates;
    for (Eigen::Index other = 0; other < near.size(); ++other) {
      if (other != row && (takes_all || near(other) <= reach))
        candidates.push_back(distances.exact(row, other));
    }
    std::nth_element(candidates.begin(), candidates.begin() + (neighbours - 1), candidates.end());
    radii(row) = candidates[static_cast<std::size_t>(neighbours - 1)];
  });
  return radii;
}

/// The share of `samples` that lie in one of the balls around `centres`.
double covered(const Features& samples, const Features& centres, const Eigen::VectorXd& radii) {
  const Distances distances(samples, centres);
  std::vector<std::uint8_t> is_covered(static_cast<std::size_t>(samples.rows()));
  for_each_row(distances, samples.rows(), [&](std::int64_t row, const auto& near) {
    const double margin = distances.margin(row);
    bool found = false;
    for (Eigen::Index centre = 0; centre < near.size() && !found; ++centre) {
      // False for NaN, which stands where squares overflow.
      const bool is_surely_outside = near(centre) > radii(centre) + margin;
      found = !is_surely_outside && distances.exact(row, centre) <= radii(centre);
    }
    is_covered[static_cast<std::size_t>(row)] = found ? 1 : 0;
  });
  return static_cast<double>(std::count(is_covered.begin(), is_covered.end(), 1)) /
         static_cast<double>(samples.rows());
}

void check_sets(const Features& reference, const Features& generated, int neighbours) {
  require_range("precision_recall.neighbours", neighbours, 1, 1000);
  check_features(reference, "reference features", neighbours + 1);
  check_features(generated, "generated features", neighbours + 1);
  check_same_dimensions(reference, generated);
}

}  // namespace

PrecisionRecall precision_recall(const Features& reference, const Features& generated,
                                 int neighbours) {
  check_sets(reference, generated, neighbours);
  return {covered(generated, reference, squared_radii(reference, neighbours)),
          recall(reference, generated, neighbours)};
}

double recall(const Features& reference, const Features& generated, int neighbours) {
  check_sets(reference, generated, neighbours);
  return covered(reference, generated, squared_radii(generated, neighbours));
}

}  // namespace adadiff::detail
