// Philox4x32-10, the counter-based generator of Salmon et al. 2011 ("Parallel random numbers: as
// easy as 1, 2, 3"): four random words as a pure function of a counter and a key, equal on host and
// device.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#define ADADIFF_HOST_DEVICE __host__ __device__ __forceinline__
#elif defined(__GNUC__)
// These functions are never emitted out of line: code compiled for newer processors must not
// replace the portable copy at link time.
#define ADADIFF_HOST_DEVICE inline __attribute__((always_inline))
#else
#define ADADIFF_HOST_DEVICE inline
#endif

namespace adadiff::kernels {

struct PhiloxBlock {
  std::uint32_t word[4] = {};
};

struct PhiloxKey {
  std::uint32_t word[2] = {};
};

inline constexpr int kPhiloxRounds = 10;

ADADIFF_HOST_DEVICE constexpr PhiloxKey philox_key(std::uint64_t seed) {
  return {{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}};
}

ADADIFF_HOST_DEVICE constexpr PhiloxBlock philox_round(const PhiloxBlock& in,
                                                       const PhiloxKey& key) {
  const std::uint64_t left = std::uint64_t{0xD2511F53u} * in.word[0];
  const std::uint64_t right = std::uint64_t{0xCD9E8D57u} * in.word[2];
  return {{static_cast<std::uint32_t>(right >> 32) ^ in.word[1] ^ key.word[0],
           static_cast<std::uint32_t>(right),
           static_cast<std::uint32_t>(left >> 32) ^ in.word[3] ^ key.word[1],
           static_cast<std::uint32_t>(left)}};
}

ADADIFF_HOST_DEVICE constexpr PhiloxKey next_key(const PhiloxKey& key) {
  return {{key.word[0] + 0x9E3779B9u, key.word[1] + 0xBB67AE85u}};
}

/// Ten rounds: word 0 of `counter` and of `key` is the least significant one.
ADADIFF_HOST_DEVICE constexpr PhiloxBlock philox(PhiloxBlock counter, PhiloxKey key) {
  for (int round = 0; round < kPhiloxRounds; ++round) {
    counter = philox_round(counter, key);
    key = next_key(key);
  }
  return counter;
}

}  // namespace adadiff::kernels
