// The arithmetic between two evaluations, as loops over floats: clean image from prediction, next
// state from both.
#pragma once

#include <cstdint>
#include <span>

namespace adadiff::detail {

/// clean = from_state * x + from_output * (u + guidance * (c - u)), clamped to [low, high].
struct CleanRule {
  double from_state = 0, from_output = 1;
  double guidance = 1;
  std::int64_t guided = 0;  ///< so many of the first values are guided, the others are c
  float low = 0, high = 0;  ///< low == high: no clamp
};

/// Rows of one sample; unconditional is null where there is one branch.
struct CleanSources {
  const float* state = nullptr;
  const float* conditional = nullptr;
  const float* unconditional = nullptr;
};

/// Where predictions of one sample go; `unclamped`, the clean image before it was clamped, may be
/// null.
struct CleanImage {
  float* clean = nullptr;
  float* unclamped = nullptr;
};

/// Writes `count` values of the clean image. False where one of them is NaN or infinite (what was
/// written is then of no use).
bool predict_clean(const CleanRule& rule, const CleanSources& sources, const CleanImage& image,
                   std::int64_t count);

/// Whether no value is NaN or infinite.
bool all_finite(const float* values, std::int64_t count);

/// Scales of noise between which a learned variance chooses.
struct NoiseRange {
  double least = 0, most = 0;  ///< standard deviations, above 0
};
/// noise_i *= least^(1 - f) * most^f, f = (variance_i + 1) / 2 (Nichol & Dhariwal 2021, eq. 15).
void scale_noise(const NoiseRange& range, const float* variance, float* noise, std::int64_t count);

/// One term of a linear update.
struct Term {
  double coefficient = 0;
  const float* values = nullptr;
};

/// out = sum of the terms, in their order; terms whose coefficient is 0 are not read. `out` may be
/// the values of a term.
void combine(std::span<const Term> terms, float* out, std::int64_t count);

}  // namespace adadiff::detail
