// Matrix products are computed by torch, which is compiled for the widest vectors of the machine;
// Eigen is compiled for all machines alike.
#include "metrics/kernel_sums.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "features/feature_tensor.h"

namespace adadiff::detail {

double kernel_sum(const FeatureRows& left, const FeatureRows& right) {
  constexpr Eigen::Index kBlock = 1000;  // rows and columns of kernel values in memory at a time
  const auto dimensions = static_cast<double>(left.cols());
  const at::Tensor all_left = as_tensor(left), all_right = as_tensor(right);
  double sum = 0;
  for (Eigen::Index i = 0; i < left.rows(); i += kBlock) {
    const at::Tensor rows = all_left.narrow(0, i, std::min(kBlock, left.rows() - i));
    for (Eigen::Index j = 0; j < right.rows(); j += kBlock) {
      const at::Tensor columns = all_right.narrow(0, j, std::min(kBlock, right.rows() - j));
      const at::Tensor products = at::mm(rows, columns.t()).contiguous();
      const Eigen::Map<const Eigen::ArrayXd> values(products.const_data_ptr<double>(),
                                                    products.numel());
      sum += (values / dimensions + 1).cube().sum();
    }
  }
  return sum;
}

double self_sum(const FeatureRows& set) {
  return (set.rowwise().squaredNorm().array() / static_cast<double>(set.cols()) + 1).cube().sum();
}

}  // namespace adadiff::detail
