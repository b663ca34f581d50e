// The conditions that both forms of the exit score place on their arguments.
#pragma once

#include "kernels/exit_score.h"

namespace adadiff::kernels {

inline bool is_valid(const ExitScore& score) {
  if (score.rows == 0) return true;
  const bool has_sizes = score.rows > 0 && score.tokens_per_row > 0 && score.width > 0 &&
                         score.values > 0;
  const bool has_strides = score.row_stride >= 0 && score.token_stride >= score.width &&
                           (score.bias_stride == 0 || score.bias_stride >= score.values);
  return has_sizes && has_strides && score.tokens != nullptr && score.weight != nullptr &&
         score.bias != nullptr && score.out != nullptr;
}

}  // namespace adadiff::kernels
