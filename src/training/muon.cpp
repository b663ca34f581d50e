// Muon over groups of matrices of one shape.
#include "training/muon.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

namespace adadiff::detail {
namespace {

/// A kernel [out, in, ...] as a matrix [out, in * ...] in the same memory.
at::Tensor as_matrix(const at::Tensor& tensor) { return tensor.flatten(1); }

bool is_tall(const at::Tensor& matrix) { return matrix.size(0) > matrix.size(1); }

at::Tensor wide(const at::Tensor& matrix) { return is_tall(matrix) ? matrix.t() : matrix; }

}  // namespace

at::Tensor orthogonalise(const at::Tensor& matrices) {
  // Maps every singular value x to a x + b x^3 + c x^5. The coefficients are the paper's, which are
  // steep at 0 rather than exact at 1.
  constexpr double a = 3.4445, b = -4.7750, c = 2.0315;
  constexpr int kSteps = 5;
  at::Tensor x = matrices / at::linalg_vector_norm(matrices, 2, std::vector<std::int64_t>{1, 2},
                                                   /*keepdim=*/true)
                                .clamp_min(1e-7);
  for (int step = 0; step < kSteps; ++step) {
    const at::Tensor square = at::bmm(x, x.transpose(1, 2));              // [N, rows, rows]
    const at::Tensor factor = at::baddbmm(square, square, square, b, c);  // b x x^T + c (x x^T)^2
    x = at::baddbmm(x, factor, x, a);
  }
  return x;
}

Muon::Muon(std::vector<at::Tensor> matrices, MuonOptions options)
    : matrices_(std::move(matrices)), options_(std::move(options)) {
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<std::size_t>> by_shape;
  for (std::size_t i = 0; i < matrices_.size(); ++i) {
    momenta_.push_back(at::zeros_like(matrices_[i]).detach());
    const at::Tensor matrix = as_matrix(matrices_[i]);
    by_shape[std::minmax(matrix.size(0), matrix.size(1))].push_back(i);
  }
  for (auto& [shape, group] : by_shape) groups_.push_back(std::move(group));
}

void Muon::step(double learning_rate) {
  const at::NoGradGuard no_gradient;
  for (const auto& group : groups_) update(group, learning_rate);
}

void Muon::update(const std::vector<std::size_t>& group, double learning_rate) {
  std::vector<std::size_t> moved;
  std::vector<at::Tensor> directions;
  for (const std::size_t i : group) {
    const at::Tensor& gradient = matrices_[i].grad();
    if (!gradient.defined()) continue;
    momenta_[i].mul_(options_.momentum).add_(gradient);
    moved.push_back(i);
    directions.push_back(wide(as_matrix(at::add(gradient, momenta_[i], options_.momentum))));
  }
  if (moved.empty()) return;
  at::Tensor stack = at::stack(directions);
  if (options_.in_bfloat16) stack = stack.to(at::kBFloat16);
  const at::Tensor turned = orthogonalise(stack).to(matrices_[moved.front()].scalar_type());
  for (std::size_t k = 0; k < moved.size(); ++k) {
    const at::Tensor& tensor = matrices_[moved[k]];
    at::Tensor matrix = tensor.view({tensor.size(0), -1});
    const at::Tensor direction = turned[static_cast<std::int64_t>(k)];
    const double shape = static_cast<double>(matrix.size(0)) / static_cast<double>(matrix.size(1));
    matrix.mul_(1 - learning_rate * options_.weight_decay[moved[k]]);
    matrix.add_(is_tall(matrix) ? direction.t() : direction,
                -learning_rate * std::sqrt(std::max(1.0, shape)));
  }
}

}  // namespace adadiff::detail
