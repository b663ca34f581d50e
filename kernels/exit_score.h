// The uncertainty of an exit: u[row] = mean over tokens and patch values of sigmoid(W token +
// bias[row]). The kernel goes from tokens to one number per row in one pass and writes the map only
// where it is wanted. It starts no threads and allocates nothing; callers split the rows.
#pragma once

#include <cstdint>

#include "kernels/status.h"

namespace adadiff::kernels {

/// The arguments of the kernel. All memory is the caller's; strides count elements.
struct ExitScore {
  const float* tokens = nullptr;  ///< [rows, tokens_per_row, width]; points at the first token that
                                  ///< counts, behind any extra tokens
  std::int64_t rows = 0;          ///< may be 0
  std::int64_t tokens_per_row = 0;
  std::int64_t width = 0;         ///< D
  std::int64_t row_stride = 0;    ///< from row to row of tokens
  std::int64_t token_stride = 0;  ///< from token to token, at least D
  std::int64_t values = 0;        ///< P, patch values per token; 1 for the scalar form
  const float* weight = nullptr;  ///< as pack_exit_weight writes it; for the reference: [P, D], row
                                  ///< after row
  const float* bias = nullptr;    ///< [rows, P]
  std::int64_t bias_stride = 0;   ///< from row to row of bias; 0: one bias for all rows
  float* out = nullptr;  ///< [rows], in [0, 1]; NaN where a token that counts, its weight or its
                         ///< bias is NaN
  float* map = nullptr;  ///< [rows, tokens_per_row, P], dense; null: not written
};

/// The number of floats that pack_exit_weight writes; 0 where a size is not positive.
std::int64_t packed_exit_weight_size(std::int64_t values, std::int64_t width);
/// Lays W [P, D] out as exit_score reads it: in panels of 16 values, each [D, 16], with zeros for
/// missing values. A weight with P = 1 stays as it is. Needed once per weight set.
Status pack_exit_weight(const float* weight, std::int64_t values, std::int64_t width,
                        float* packed);

/// Computes the score in float32. The order of its sums depends only on the row's own sizes, so a
/// row's bits do not depend on the rows beside it. The score differs from the reference by at most
/// 2e-6 for logits of absolute value at most 30 and D up to 1024.
Status exit_score(const ExitScore& score);
/// Computes the same with plain loops in double, from the unpacked weight.
Status exit_score_reference(const ExitScore& score);

}  // namespace adadiff::kernels
