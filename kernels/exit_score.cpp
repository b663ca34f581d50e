// Packs the weight, checks, and chooses the loop that fits the processor.
#include "kernels/exit_score.h"

#include <cstring>

#include "kernels/exit_score_check.h"
#include "kernels/exit_score_loop.h"
#include "kernels/loops.h"
#include "kernels/processor.h"

namespace adadiff::kernels {
namespace {

std::int64_t padded(std::int64_t values) {
  return values == 1 ? 1 : (values + kPanel - 1) / kPanel * kPanel;
}

/// Values first .. first + 16 of W, as [D, 16].
void pack_panel(const float* weight, const ExitScore& sizes, std::int64_t first, float* packed) {
  for (std::int64_t d = 0; d < sizes.width; ++d) {
    for (std::int64_t i = 0; i < kPanel; ++i) {
      packed[d * kPanel + i] = first + i < sizes.values ? weight[(first + i) * sizes.width + d]
                                                        : 0.0f;
    }
  }
}

ExitScoreLoop chosen_loop() {
  if (has_avx512()) return avx512_exit_score_loop();
  return has_avx2_and_fma() ? avx2_exit_score_loop() : portable_exit_score_loop();
}

}  // namespace

ExitScoreLoop portable_exit_score_loop() { return score_rows; }

std::int64_t packed_exit_weight_size(std::int64_t values, std::int64_t width) {
  return values > 0 && width > 0 ? padded(values) * width : 0;
}

Status pack_exit_weight(const float* weight, std::int64_t values, std::int64_t width,
                        float* packed) {
  if (values <= 0 || width <= 0 || weight == nullptr || packed == nullptr)
    return Status::InvalidArgument;
  if (values == 1) {
    std::memcpy(packed, weight, static_cast<std::size_t>(width) * sizeof(float));
    return Status::Ok;
  }
  const ExitScore sizes{.width = width, .values = values};
  for (std::int64_t first = 0; first < values; first += kPanel)
    pack_panel(weight, sizes, first, packed + first * width);
  return Status::Ok;
}

Status exit_score(const ExitScore& score) {
  if (!is_valid(score)) return Status::InvalidArgument;
  static const ExitScoreLoop loop = chosen_loop();
  if (score.rows > 0) loop(score);
  return Status::Ok;
}

}  // namespace adadiff::kernels
