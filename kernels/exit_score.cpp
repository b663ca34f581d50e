// Packs the weight, checks, and chooses the loop that fits the processor.
#include "kernels/exit_score.h"

#include "kernels/exit_score_check.h"
#include "kernels/exit_score_loop.h"
#include "kernels/loops.h"
#include "kernels/processor.h"

namespace adadiff::kernels {
namespace {

constexpr std::int64_t kPanel = kPanelHalves * kWide;

std::int64_t padded(std::int64_t values) { return values == 1 ? 1 : (values + kWide - 1) / kWide * kWide; }

/// Values first .. first + panel of W, as [D, panel].
void pack_panel(const float* weight, const ExitScore& sizes, std::int64_t first, std::int64_t panel, float* packed) {
  for (std::int64_t d = 0; d < sizes.width; ++d) {
    for (std::int64_t i = 0; i < panel; ++i) {
      packed[d * panel + i] = first + i < sizes.values ? weight[(first + i) * sizes.width + d] : 0.0f;
    }
  }
}

ExitScoreLoop chosen_loop() {
  static const ExitScoreLoop loop = has_avx2_and_fma() ? avx2_exit_score_loop() : portable_exit_score_loop();
  return loop;
}

}  // namespace

ExitScoreLoop portable_exit_score_loop() { return score_rows; }

std::int64_t packed_exit_weight_size(std::int64_t values, std::int64_t width) {
  return values > 0 && width > 0 ? padded(values) * width : 0;
}

Status pack_exit_weight(const float* weight, std::int64_t values, std::int64_t width, float* packed) {
  if (values <= 0 || width <= 0 || weight == nullptr || packed == nullptr) return Status::InvalidArgument;
  const ExitScore sizes{.width = width, .values = values};
  for (std::int64_t first = 0; first < padded(values); first += kPanel) {
    const std::int64_t left = padded(values) - first;
    pack_panel(weight, sizes, first, left < kPanel ? left : kPanel, packed + first * width);
  }
  return Status::Ok;
}

Status exit_score(const ExitScore& score) {
  if (!is_valid(score)) return Status::InvalidArgument;
  if (score.rows > 0) chosen_loop()(score);
  return Status::Ok;
}

}  // namespace adadiff::kernels
