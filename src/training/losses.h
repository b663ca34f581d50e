// The training losses of networks with early exits: L = L_simple + lambda * L_u + beta * L_UAL
// (arXiv 2309.17074, eq. 4 to 9).
#pragma once

#include <adadiff/trainable_network.h>

#include <vector>

#include <ATen/core/Tensor.h>

#include <adadiff/training.h>

namespace adadiff::detail {

/// The loss and its terms, as scalars with gradients. The terms are not yet multiplied by lambda
/// and beta.
struct LossTerms {
  at::Tensor total;
  at::Tensor simple;  ///< mean square of g_N - truth
  /// The mean square of u_k - target_k, reduced over all exits that have a UEM, the last one
  /// included (except with LogExcess and Likelihood). With Likelihood it is the negative logarithm
  /// of a likelihood, which may be below 0.
  at::Tensor uncertainty;
  at::Tensor layers;  ///< weighted mean squares of g_k - truth (or minus a mixture of truth and
                      ///< g_N), reduced over the exits that the weights name
};

/// Computes the losses of `outputs`, which a TrainableNetwork gives; `truth` [B, C, H, W] is what
/// the last output should be. An output without a prediction is not an exit; an exit without an
/// uncertainty has certainty 1. `exit_draw` in (0, 1) picks one of the early exits, each of them
/// with the same probability; it is read only for DistilledExits::One.
LossTerms training_loss(const std::vector<BlockOutput>& outputs, const at::Tensor& truth,
                        const LossOptions& options, double exit_draw);

}  // namespace adadiff::detail
