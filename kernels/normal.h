// Turns random words into normals (Box and Muller 1958) with correctly rounded operations only:
// integer steps, one multiplication, explicit fma and sqrt. The code uses no logarithm, sine or
// cosine of libm, whose bits differ between machines, and no product that a compiler could contract
// with a sum. The polynomials are weighted least-squares fits at Chebyshev nodes.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/philox.h"

namespace adadiff::kernels {

struct NormalPair {
  float first = 0, second = 0;
};

ADADIFF_HOST_DEVICE float fused(float a, float b, float c) {
#if defined(__CUDA_ARCH__)
  return __fmaf_rn(a, b, c);
#else
  return std::fma(a, b, c);
#endif
}

ADADIFF_HOST_DEVICE float root(float value) {
#if defined(__CUDA_ARCH__)
  return __fsqrt_rn(value);
#else
  return std::sqrt(value);
#endif
}

/// word + 1/2, rounded once.
ADADIFF_HOST_DEVICE float centre(std::uint32_t word) {
  const float high = static_cast<float>(static_cast<std::int32_t>(word >> 16));
  const float low = static_cast<float>(static_cast<std::int32_t>(word & 0xffffu));
  return fused(high, 65536.0f, low + 0.5f);
}

/// log(1 + f) for f in [sqrt(1/2) - 1, sqrt(2) - 1].
ADADIFF_HOST_DEVICE float log1p_near_zero(float f) {
  float p = -0.0766081894657f;
  p = fused(p, f, 0.127863305294f);
  p = fused(p, f, -0.131616057473f);
  p = fused(p, f, 0.141978766341f);
  p = fused(p, f, -0.166227524584f);
  p = fused(p, f, 0.200014123574f);
  p = fused(p, f, -0.250008462131f);
  p = fused(p, f, 0.333333290305f);
  return fused(f * f, fused(p, f, -0.5f), f);
}

/// log((word + 1/2) / 2^32), always negative. Near 1, the computation starts from the exact
/// distance to 1.
ADADIFF_HOST_DEVICE float log_of_word(std::uint32_t word) {
  constexpr std::int32_t kRootHalf = 0x3f3504f3;
  constexpr float kLog2High = 0.693145751953125f, kLog2Low = 1.42860677e-6f;
  const float scaled = centre(word);
  std::int32_t bits = 0;
  std::memcpy(&bits, &scaled, sizeof bits);
  // scaled = mantissa * 2^exponent, with the mantissa in [sqrt(1/2), sqrt(2)).
  const std::int32_t exponent = (bits - kRootHalf) >> 23;
  bits -= exponent * (1 << 23);
  float mantissa = 0;
  std::memcpy(&mantissa, &bits, sizeof mantissa);
  const float distance = centre(~word) * -0x1p-32f;
  const float f = exponent == 32 ? distance : mantissa - 1.0f;
  const float power = static_cast<float>(exponent - 32);
  return fused(power, kLog2High, fused(power, kLog2Low, log1p_near_zero(f)));
}

/// Cosine and sine of 2 pi word / 2^32.
ADADIFF_HOST_DEVICE NormalPair circle(std::uint32_t word) {
  const std::uint32_t quadrant = (word + (1u << 29)) >> 30;
  const float t = static_cast<float>(static_cast<std::int32_t>(word - (quadrant << 30))) *
                  0x1p-30f;  // in [-1/2, 1/2)
  const float square = t * t;
  float sine = fused(-0.00460499219457f, square, 0.0796814605849f);
  sine = fused(sine, square, -0.645963632869f);
  sine = t * fused(sine, square, 1.57079632679f);
  float cosine = fused(0.000903975441917f, square, -0.0208602647854f);
  cosine = fused(cosine, square, 0.253669240243f);
  cosine = fused(cosine, square, -1.23370054317f);
  cosine = fused(cosine, square, 1.0f);
  const bool swapped = (quadrant & 1) != 0;
  const float x = swapped ? sine : cosine, y = swapped ? cosine : sine;
  return {((quadrant + 1) & 2) != 0 ? -x : x, (quadrant & 2) != 0 ? -y : y};
}

ADADIFF_HOST_DEVICE NormalPair box_muller(std::uint32_t radius_word, std::uint32_t angle_word) {
  const float radius = root(log_of_word(radius_word) * -2.0f);
  const NormalPair direction = circle(angle_word);
  return {radius * direction.first, radius * direction.second};
}

}  // namespace adadiff::kernels
