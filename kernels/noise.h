// Noise as a pure function of its purpose. It has no state, so it does not depend on batch, order,
// thread count or device.
#pragma once

#include <cstdint>

#include "kernels/status.h"

namespace adadiff::kernels {

/// Names one stream of numbers. Element i of the stream comes from Philox4x32-10 with key = seed
/// and counter = (i / 4, evaluation, purpose, sample), word i % 4.
struct NoiseKey {
  std::uint64_t seed = 0;
  std::uint32_t evaluation = 0;
  std::uint32_t purpose = 0;
  std::uint32_t sample = 0;
};

/// The longest stream: element / 4 fills the counter's first word.
inline constexpr std::int64_t kLongestNoise = std::int64_t{4} << 32;

/// Writes standard normals, |value| < 6.8, within 1e-6 of what exact arithmetic makes of the same
/// words (kernels/normal.h).
Status fill_normal(const NoiseKey& key, float* out, std::int64_t count);
/// Writes multiples of 2^-24 strictly between 0 and 1: (word / 2^9 + 1/2) / 2^23.
Status fill_uniform(const NoiseKey& key, float* out, std::int64_t count);
/// Writes the words themselves.
Status fill_bits(const NoiseKey& key, std::uint32_t* out, std::int64_t count);

}  // namespace adadiff::kernels
