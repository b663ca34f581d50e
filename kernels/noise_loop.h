// The noise loops, compiled once for every instruction set: each file that includes this header
// makes its own copy under its own compiler flags.
#pragma once

#include <cstdint>

#include "kernels/loops.h"
#include "kernels/noise.h"
#include "kernels/normal.h"
#include "kernels/philox.h"

namespace adadiff::kernels {

namespace {

constexpr int kLanes = 16;  // counters that are worked on together: two registers of eight words
constexpr int kChunk = 4 * kLanes;

struct Words {
  std::uint32_t of[4][kLanes];
};

inline void make_words(const NoiseKey& noise, std::uint32_t first, Words& words) {
  const PhiloxKey key = philox_key(noise.seed);
  for (int lane = 0; lane < kLanes; ++lane) {
    words.of[0][lane] = first + static_cast<std::uint32_t>(lane);
    words.of[1][lane] = noise.evaluation;
    words.of[2][lane] = noise.purpose;
    words.of[3][lane] = noise.sample;
  }
  PhiloxKey round_key = key;
  for (int round = 0; round < kPhiloxRounds; ++round) {
    for (int lane = 0; lane < kLanes; ++lane) {
      const PhiloxBlock in{
          {words.of[0][lane], words.of[1][lane], words.of[2][lane], words.of[3][lane]}};
      const PhiloxBlock out = philox_round(in, round_key);
      for (int word = 0; word < 4; ++word) words.of[word][lane] = out.word[word];
    }
    round_key = next_key(round_key);
  }
}

inline void to_normals(const Words& words, float* out) {
  float normal[4][kLanes];
  for (int pair = 0; pair < 4; pair += 2) {
    for (int lane = 0; lane < kLanes; ++lane) {
      const NormalPair made = box_muller(words.of[pair][lane], words.of[pair + 1][lane]);
      normal[pair][lane] = made.first;
      normal[pair + 1][lane] = made.second;
    }
  }
  for (int lane = 0; lane < kLanes; ++lane) {
    for (int word = 0; word < 4; ++word) out[4 * lane + word] = normal[word][lane];
  }
}

inline void to_uniforms(const Words& words, float* out) {
  for (int lane = 0; lane < kLanes; ++lane) {
    for (int word = 0; word < 4; ++word) {
      const auto high = static_cast<float>(static_cast<std::int32_t>(words.of[word][lane] >> 9));
      out[4 * lane + word] = (high + 0.5f) * 0x1p-23f;
    }
  }
}

inline void to_bits(const Words& words, std::uint32_t* out) {
  for (int lane = 0; lane < kLanes; ++lane) {
    for (int word = 0; word < 4; ++word) out[4 * lane + word] = words.of[word][lane];
  }
}

template <class T, void (*Convert)(const Words&, T*)>
void fill_loop(const NoiseKey& key, T* out, std::int64_t count) {
  Words words;
  std::int64_t done = 0;
  for (; done + kChunk <= count; done += kChunk) {
    make_words(key, static_cast<std::uint32_t>(done / 4), words);
    Convert(words, out + done);
  }
  if (done == count) return;
  T last[kChunk];
  make_words(key, static_cast<std::uint32_t>(done / 4), words);
  Convert(words, last);
  for (std::int64_t i = 0; done + i < count; ++i) out[done + i] = last[i];
}

inline NoiseLoops loops_compiled_here() {
  return {fill_loop<float, to_normals>, fill_loop<float, to_uniforms>,
          fill_loop<std::uint32_t, to_bits>};
}

}  // namespace
}  // namespace adadiff::kernels
