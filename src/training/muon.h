// Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"): steps along
// a momentum whose singular values are made about equal.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

namespace adadiff::detail {

struct MuonOptions {
  double momentum = 0.95;
  /// The decoupled weight decay of each matrix: value -= learning rate * weight_decay * value.
  std::vector<double> weight_decay = {};
  bool in_bfloat16 = false;  ///< whether the orthogonalisation runs in bfloat16
};

/// Returns about U V^T for each matrix m = U S V^T of `matrices` [N, rows, columns], which has at
/// most as many rows as columns. Takes five steps of a quintic Newton-Schulz iteration, which
/// brings singular values between 1/640 and 1 of the Frobenius norm into about [0.7, 1.2].
at::Tensor orthogonalise(const at::Tensor& matrices);

/// Updates matrices [out, in], and contiguous kernels [out, in, ...] as matrices [out, in * ...],
/// by their orthogonalised Nesterov momentum times sqrt(max(1, out / in)). A step leaves matrices
/// without a gradient as they are.
class Muon {
 public:
  Muon(std::vector<at::Tensor> matrices, MuonOptions options);
  void step(double learning_rate);
  const std::vector<at::Tensor>& momenta() const { return momenta_; }

 private:
  void update(const std::vector<std::size_t>& group, double learning_rate);

  std::vector<at::Tensor> matrices_, momenta_;
  /// The positions of matrices of one shape, transposed or not, so that one product serves all of
  /// them.
  std::vector<std::vector<std::size_t>> groups_;
  MuonOptions options_;
};

}  // namespace adadiff::detail
