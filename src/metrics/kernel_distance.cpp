// Unbiased estimates of the kernel distance on subsets.
#include "metrics/kernel_distance.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/check.h"
#include "core/kernel_status.h"
#include "core/noise_purpose.h"
#include "kernels/noise.h"
#include "metrics/kernel_sums.h"

namespace adadiff::detail {
namespace {

/// The first `size` entries of a shuffle of [0, count).
std::vector<std::int64_t> draw_rows(std::int64_t count, std::int64_t size,
                                    const kernels::NoiseKey& key) {
  std::vector<std::uint32_t> words(static_cast<std::size_t>(size));
  require_ok(kernels::fill_bits(key, words.data(), size), "fill_bits");
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  for (std::int64_t place = 0; place < size; ++place) {
    const auto left = static_cast<std::uint64_t>(count - place);
    const auto step = static_cast<std::int64_t>(words[static_cast<std::size_t>(place)] * left >>
                                                32);
    std::swap(rows[static_cast<std::size_t>(place)], rows[static_cast<std::size_t>(place + step)]);
  }
  rows.resize(static_cast<std::size_t>(size));
  return rows;
}

Features select(const Features& features, const std::vector<std::int64_t>& rows,
                const char* where) {
  Features selected(static_cast<Eigen::Index>(rows.size()), features.cols());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    require_range<InvalidArgument, std::int64_t>(where, rows[i], 0, features.rows() - 1);
    selected.row(static_cast<Eigen::Index>(i)) = features.row(rows[i]);
  }
  return selected;
}

/// The mean of the kernel over all pairs of different samples.
double mean_within(const Features& set) {
  const auto count = static_cast<double>(set.rows());
  return (kernel_sum(set, set) - self_sum(set)) / (count * (count - 1));
}

double mean_between(const Features& left, const Features& right) {
  return kernel_sum(left, right) /
         (static_cast<double>(left.rows()) * static_cast<double>(right.rows()));
}

double discrepancy(const Features& reference, const Features& generated) {
  return mean_within(reference) + mean_within(generated) - 2 * mean_between(reference, generated);
}

}  // namespace

std::int64_t subset_size(std::int64_t references, std::int64_t generated,
                         const KernelSubsets& subsets) {
  const std::int64_t most = std::min(references, generated);
  require_range<InvalidArgument, std::int64_t>("KernelSubsets samples", most, 2, INT32_MAX);
  if (subsets.size == 0) return std::clamp<std::int64_t>(most / 2, 2, 1000);
  require_range<InvalidArgument, std::int64_t>("KernelSubsets.size", subsets.size, 2, INT32_MAX);
  return std::min(subsets.size, most);
}

std::vector<KernelSubset> draw_kernel_subsets(std::int64_t references, std::int64_t generated,
                                              const KernelSubsets& subsets, std::uint64_t seed) {
  const std::int64_t size = subset_size(references, generated, subsets);
  require_range("KernelSubsets.count", subsets.count, 1, 10000);
  std::vector<KernelSubset> drawn;
  drawn.reserve(static_cast<std::size_t>(subsets.count));
  for (int i = 0; i < subsets.count; ++i) {
    const auto index = static_cast<std::uint32_t>(i);
    drawn.push_back({draw_rows(references, size, {seed, index, noise_purpose::kReferenceRows, 0}),
                     draw_rows(generated, size, {seed, index, noise_purpose::kGeneratedRows, 0})});
  }
  return drawn;
}

KernelDistance kernel_distance(const Features& reference, const Features& generated,
                               const std::vector<KernelSubset>& subsets) {
  check_features(reference, "reference features", 2);
  check_features(generated, "generated features", 2);
  check_same_dimensions(reference, generated);
  if (subsets.empty()) raise({"subsets", "be at least one", "are none"});
  std::vector<double> estimates;
  estimates.reserve(subsets.size());
  for (const KernelSubset& subset : subsets) {
    if (subset.reference.size() < 2 || subset.reference.size() != subset.generated.size()) {
      raise({"subset", "have two samples or more and as many of both sets",
             "has " + show(std::ssize(subset.reference)) + " and " +
                 show(std::ssize(subset.generated))});
    }
    estimates.push_back(discrepancy(select(reference, subset.reference, "subset.reference"),
                                    select(generated, subset.generated, "subset.generated")));
  }
  const Eigen::Map<const Eigen::ArrayXd> values(estimates.data(), std::ssize(estimates));
  const double mean = values.mean();
  return {mean, std::sqrt((values - mean).square().mean())};
}

}  // namespace adadiff::detail
