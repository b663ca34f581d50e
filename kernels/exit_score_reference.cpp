// The plain definition of the exit score, in double: the oracle of every faster form.
#include <cmath>

#include "kernels/exit_score.h"
#include "kernels/exit_score_check.h"

namespace adadiff::kernels {
namespace {

double uncertainty(const ExitScore& score, const float* token, std::int64_t row,
                   std::int64_t value) {
  double logit = score.bias[row * score.bias_stride + value];
  for (std::int64_t d = 0; d < score.width; ++d)
    logit += double{score.weight[value * score.width + d]} * double{token[d]};
  return 1.0 / (1.0 + std::exp(-logit));
}

}  // namespace

Status exit_score_reference(const ExitScore& score) {
  if (!is_valid(score)) return Status::InvalidArgument;
  const std::int64_t per_row = score.tokens_per_row * score.values;
  for (std::int64_t row = 0; row < score.rows; ++row) {
    double sum = 0;
    for (std::int64_t i = 0; i < per_row; ++i) {
      const float* token = score.tokens + row * score.row_stride +
                           i / score.values * score.token_stride;
      const double u = uncertainty(score, token, row, i % score.values);
      if (score.map != nullptr) score.map[row * per_row + i] = static_cast<float>(u);
      sum += u;
    }
    score.out[row] = static_cast<float>(sum / static_cast<double>(per_row));
  }
  return Status::Ok;
}

}  // namespace adadiff::kernels
