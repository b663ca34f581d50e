// Works in pieces that stay in the first-level cache, so that each operand is read from memory
// once.
#include "sampling/update.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace adadiff::detail {
namespace {

constexpr std::int64_t kPiece = 1024;  // floats: 4 KiB

void guide(const CleanRule& rule, const CleanSources& sources, float* out, std::int64_t count) {
  const auto weight = static_cast<float>(rule.guidance);
  const std::int64_t guided = std::min(rule.guided, count);
  for (std::int64_t i = 0; i < guided; ++i) {
    out[i] = sources.unconditional[i] +
             weight * (sources.conditional[i] - sources.unconditional[i]);
  }
  std::copy(sources.conditional + guided, sources.conditional + count, out + guided);
}

}  // namespace

/// True where all exponents are below the one that NaN and infinity have.
bool all_finite(const float* values, std::int64_t count) {
  constexpr std::uint32_t kExponent = 0x7f800000;
  std::uint32_t found = 0;
  for (std::int64_t i = 0; i < count; ++i)
    found |= (std::bit_cast<std::uint32_t>(values[i]) & kExponent) == kExponent ? 1u : 0u;
  return found == 0;
}

void scale_noise(const NoiseRange& range, const float* variance, float* noise, std::int64_t count) {
  const auto low = static_cast<float>(std::log(range.least));
  const auto half = static_cast<float>(std::log(range.most / range.least) / 2);
  for (std::int64_t i = 0; i < count; ++i) noise[i] *= std::exp(low + half * (variance[i] + 1));
}

bool predict_clean(const CleanRule& rule, const CleanSources& sources, const CleanImage& image,
                   std::int64_t count) {
  float* clean = image.clean;
  const auto from_state = static_cast<float>(rule.from_state),
             from_output = static_cast<float>(rule.from_output);
  const float* output = sources.conditional;
  if (sources.unconditional != nullptr) {
    guide(rule, sources, clean, count);
    output = clean;
  }
  for (std::int64_t i = 0; i < count; ++i)
    clean[i] = from_state * sources.state[i] + from_output * output[i];
  if (!all_finite(clean, count)) return false;
  if (image.unclamped != nullptr) std::copy_n(clean, count, image.unclamped);
  if (rule.low < rule.high) {
    for (std::int64_t i = 0; i < count; ++i) clean[i] = std::clamp(clean[i], rule.low, rule.high);
  }
  return true;
}

void combine(std::span<const Term> terms, float* out, std::int64_t count) {
  float sum[kPiece];
  for (std::int64_t start = 0; start < count; start += kPiece) {
    const std::int64_t size = std::min(kPiece, count - start);
    std::fill(sum, sum + size, 0.0f);
    for (const Term& term : terms) {
      if (term.coefficient == 0) continue;
      const auto coefficient = static_cast<float>(term.coefficient);
      const float* values = term.values + start;
      for (std::int64_t i = 0; i < size; ++i) sum[i] += coefficient * values[i];
    }
    std::copy(sum, sum + size, out + start);
  }
}

}  // namespace adadiff::detail
