// Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"): momentum
// whose singular values are made about equal.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

namespace adadiff::detail {

struct MuonOptions {
  double momentum = 0.95;
  /// Of each matrix, decoupled: value -= learning rate * weight_decay * value.
  std::vector<double> weight_decay = {};
  bool in_bfloat16 = false;  ///< of the orthogonalisation
};

/// For each matrix m = U S V^T of `matrices` [N, rows, columns], rows at most columns: about U V^T.
/// Five steps of a quintic Newton-Schulz iteration, which brings singular values between 1/640 and
/// 1 of the Frobenius norm into about [0.7, 1.2].
at::Tensor orthogonalise(const at::Tensor& matrices);

/// Updates matrices [out, in] by their orthogonalised Nesterov momentum times sqrt(max(1, out /
/// in)). A step leaves matrices without a gradient as they are.
class Muon {
 public:
  Muon(std::vector<at::Tensor> matrices, MuonOptions options);
  void step(double learning_rate);
  const std::vector<at::Tensor>& momenta() const { return momenta_; }

 private:
  void update(const std::vector<std::size_t>& group, double learning_rate);

  std::vector<at::Tensor> matrices_, momenta_;
  std::vector<std::vector<std::size_t>>
      groups_;  ///< positions of matrices of one shape, transposed or not: one product serves all
  MuonOptions options_;
};

}  // namespace adadiff::detail
