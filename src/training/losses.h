// The training losses of networks with early exits: L = L_simple + lambda * L_u + beta * L_UAL
// (arXiv 2309.17074, eq. 4 to 9).
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include <adadiff/training.h>

#include "networks/trainable.h"

namespace adadiff::detail {

/// Scalars with gradients. The terms are before lambda and beta.
struct LossTerms {
  at::Tensor total;
  at::Tensor simple;  ///< mean square of g_N - truth
  at::Tensor
      uncertainty;  ///< mean square of u_k - target_k, reduced over all exits that have a UEM, the
                    ///< last one included (but for LogExcess and Likelihood); a negative logarithm
                    ///< of a likelihood for Likelihood, which may be below 0
  at::Tensor layers;  ///< weighted mean squares of g_k - truth (or its mixture with g_N), reduced
                      ///< over the exits that the weights name
};

/// `outputs` as a TrainableNetwork gives them; `truth` [B, C, H, W] is what the last output should
/// be. Where outputs lack a prediction there is no exit; where they lack an uncertainty the exit's
/// certainty counts as 1. `exit_draw` in (0, 1) picks one of the early exits, each as often as the
/// others; it is read for DistilledExits::One only.
LossTerms training_loss(const std::vector<BlockOutput>& outputs, const at::Tensor& truth,
                        const LossOptions& options, double exit_draw);

}  // namespace adadiff::detail
