// What the distribution metrics compare: one row of numbers per image.
#pragma once

#include <cstdint>
#include <string>

#include <Eigen/Core>

namespace adadiff::detail {

/// [samples, dimensions], in double like every sum over features.
using Features = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Raises InvalidArgument unless there are at least `least_samples` rows, at least one column, and
/// finite numbers only.
void check_features(const Features& features, const std::string& where, std::int64_t least_samples);
/// Raises InvalidArgument unless both sets have the same number of columns.
void check_same_dimensions(const Features& reference, const Features& generated);

}  // namespace adadiff::detail
