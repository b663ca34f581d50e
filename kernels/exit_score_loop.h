// The loops of the exit score, compiled once for every instruction set: each file that includes
// this header makes its own copy under its own compiler flags. A block of tokens is multiplied in
// registers with up to three panels of 16 values; sigmoid and sum follow while the logits are still
// in cache.
#pragma once

#include <cstdint>
#include <cstring>
#include <utility>

#include "kernels/exit_score.h"

namespace adadiff::kernels {
namespace {

constexpr int kPanel = 16;
#if defined(__AVX512F__)
constexpr int kWide = 16;        // floats per register
constexpr int kMostVectors = 3;  // vectors side by side: 48 values
// The number of tokens multiplied at once with one, two and three vectors; at most 24 of 32
// registers hold sums.
constexpr int kTokens[] = {14, 12, 8};
#elif defined(__AVX2__) || defined(__aarch64__)
constexpr int kWide = 8;
constexpr int kMostVectors = 2;
constexpr int kTokens[] = {8, 6};  // 12 of 16 registers hold sums, 2 the weight, 1 a token's value
#else
constexpr int kWide = 8;  // the compiler splits a vector into two registers
constexpr int kMostVectors = 1;
constexpr int kTokens[] = {4};
#endif
constexpr int kMostTokens = kTokens[0];
constexpr int kEight = 8;  // the scalar form always works on eight tokens

template <int N>
struct Vector;
template <>
struct Vector<8> {
  using Floats = float __attribute__((vector_size(32)));
  using Ints = std::int32_t __attribute__((vector_size(32)));
};
template <>
struct Vector<16> {
  using Floats = float __attribute__((vector_size(64)));
  using Ints = std::int32_t __attribute__((vector_size(64)));
};
template <int N>
using Floats = typename Vector<N>::Floats;
template <int N>
using Ints = typename Vector<N>::Ints;

template <int N>
inline Floats<N> load(const float* from) {
  Floats<N> value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// Loads the first `count` of N floats, followed by zeros; a `count` of N or more loads all of
/// them.
template <int N>
inline Floats<N> load_first(const float* from, std::int64_t count) {
  if (count >= N) return load<N>(from);
  Floats<N> value = {};
  if (count > 0) std::memcpy(&value, from, static_cast<std::size_t>(count) * sizeof(float));
  return value;
}

template <int N>
inline void store_first(Floats<N> value, float* to, std::int64_t count) {
  const std::int64_t stored = count < N ? count : N;
  if (stored > 0) std::memcpy(to, &value, static_cast<std::size_t>(stored) * sizeof(float));
}

template <int N>
inline Floats<N> keep_first(Floats<N> value, std::int64_t count) {
  for (int lane = 0; lane < N; ++lane) value[lane] = lane < count ? value[lane] : 0.0f;
  return value;
}

/// 1 / (1 + exp(-x)) within 2e-7; NaN stays NaN. exp is computed as a power of two times a
/// polynomial of degree 6 on |r| <= log(2) / 2.
template <int N>
inline Floats<N> sigmoid(Floats<N> x) {
  constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, which then
                                         // stands in the low bits
  constexpr std::int32_t kMagicBits = 0x4b400000, kOneBits = 0x3f800000;
  Floats<N> y = -x;
  y = y < -87.0f ? Floats<N>{} - 87.0f : y;
  y = y > 88.0f ? Floats<N>{} + 88.0f : y;
  const Floats<N> shifted = y * 1.44269504089f + kMagic;
  const Floats<N> power = shifted - kMagic;
  const Floats<N> r = (y - power * 0.693145751953125f) - power * 1.42860677e-6f;
  Floats<N> p = r * 0.00139464465629f + 0.00836915169419f;
  p = p * r + 0.0416662631361f;
  p = p * r + 0.166665159889f;
  p = p * r + 0.500000008081f;
  p = p * (r * r) + r + 1.0f;
  const Ints<N> scale_bits = ((reinterpret_cast<Ints<N>>(shifted) - kMagicBits) << 23) + kOneBits;
  return 1.0f / (1.0f + p * reinterpret_cast<Floats<N>>(scale_bits));
}

/// A sum of vectors with the rounding error carried along (Kahan 1965), so that its error does not
/// grow with the number of tokens.
template <int N>
struct Sum {
  Floats<N> total = {}, carried = {};
  void add(Floats<N> value) {
    const Floats<N> corrected = value - carried;
    const Floats<N> next = total + corrected;
    carried = (next - total) - corrected;
    total = next;
  }
  float lanes() const {
    Floats<N> sum = total;
    for (int width = N / 2; width > 0; width /= 2) {
      for (int lane = 0; lane < width; ++lane) sum[lane] += sum[lane + width];
    }
    return sum[0];
  }
};

/// The arguments that stay the same within a row.
struct RowView {
  const ExitScore& score;
  const float* tokens;  // [tokens_per_row, D]
  const float* bias;    // [P]
  float* map;           // [tokens_per_row, P] or null
};

/// Computes `logit` [Tokens, Vectors] = bias + W token for the tokens from `token` on and the
/// panels from `weight` on. The function is not inlined, since its sums would not stay in registers
/// beside the constants of sigmoid.
template <int Tokens, int Vectors>
__attribute__((noinline)) void multiply(const ExitScore& score, const float* token,
                                        const float* weight, const Floats<kWide>* bias,
                                        Floats<kWide>* logit) {
  const std::int64_t stride = score.token_stride, width = score.width;
  Floats<kWide> sum[Tokens][Vectors];
  for (int t = 0; t < Tokens; ++t) {
    for (int v = 0; v < Vectors; ++v) sum[t][v] = bias[v];
  }
  for (std::int64_t d = 0; d < width; ++d) {
    Floats<kWide> column[Vectors];
    for (int v = 0; v < Vectors; ++v) {
      column[v] = load<kWide>(weight + v * kWide / kPanel * kPanel * width + d * kPanel +
                              v * kWide % kPanel);
    }
    for (int t = 0; t < Tokens; ++t) {
      for (int v = 0; v < Vectors; ++v) sum[t][v] += column[v] * token[t * stride + d];
    }
  }
  for (int t = 0; t < Tokens; ++t) {
    for (int v = 0; v < Vectors; ++v) logit[t * Vectors + v] = sum[t][v];
  }
}

using Multiply = void (*)(const ExitScore&, const float*, const float*, const Floats<kWide>*,
                          Floats<kWide>*);

/// multiply<tokens, Vectors> for a number of tokens known at run time, at most kTokens[Vectors -
/// 1].
template <int Vectors, int... Less>
inline Multiply multiply_for(std::int64_t tokens, std::integer_sequence<int, Less...>) {
  static constexpr Multiply kTable[] = {multiply<Less + 1, Vectors>...};
  return kTable[tokens - 1];
}

/// Scores all tokens of a row for `Vectors` vectors of values from `first_value` on.
template <int Vectors>
inline void score_values(const RowView& row, std::int64_t first_value, Sum<kWide>& sum) {
  constexpr int kAtOnce = kTokens[Vectors - 1];
  const ExitScore& score = row.score;
  Floats<kWide> bias[Vectors], logit[kMostTokens * kMostVectors];
  for (int v = 0; v < Vectors; ++v) {
    bias[v] = load_first<kWide>(row.bias + first_value + v * kWide,
                                score.values - first_value - v * kWide);
  }
  const float* weight = score.weight + first_value / kPanel * kPanel * score.width +
                        first_value % kPanel;
  for (std::int64_t first = 0; first < score.tokens_per_row; first += kAtOnce) {
    const std::int64_t left = score.tokens_per_row - first,
                       tokens = left < kAtOnce ? left : kAtOnce;
    const Multiply multiply = multiply_for<Vectors>(tokens,
                                                    std::make_integer_sequence<int, kAtOnce>());
    multiply(score, row.tokens + first * score.token_stride, weight, bias, logit);
    for (int v = 0; v < Vectors; ++v) {
      const std::int64_t value = first_value + v * kWide;
      Floats<kWide> block = {};
      for (std::int64_t t = 0; t < tokens; ++t) {
        const Floats<kWide> u = sigmoid<kWide>(logit[t * Vectors + v]);
        if (row.map != nullptr)
          store_first<kWide>(u, row.map + (first + t) * score.values + value, score.values - value);
        block += u;
      }
      sum.add(keep_first<kWide>(block, score.values - value));
    }
  }
}

template <int Vectors>
inline void score_remaining(const RowView& row, std::int64_t first_value, Sum<kWide>& sum) {
  if constexpr (Vectors > 0) {
    if (row.score.values - first_value > (Vectors - 1) * kWide) {
      score_values<Vectors>(row, first_value, sum);
    } else {
      score_remaining<Vectors - 1>(row, first_value, sum);
    }
  }
}

/// The sum over all values of a row, taken by groups of vectors whose weight stays in cache.
inline float sum_values(const RowView& row) {
  Sum<kWide> sum;
  constexpr std::int64_t kGroup = kMostVectors * kWide;
  static_assert(kGroup % kPanel == 0 ||
                kPanel % kGroup == 0);  // no vector reaches from one panel into the next
  for (std::int64_t value = 0; value < row.score.values; value += kGroup)
    score_remaining<kMostVectors>(row, value, sum);
  return sum.lanes();
}

/// Lane t of the result is the sum of part[t].
inline Floats<kEight> sum_each(const Floats<kEight> (&part)[kEight]) {
  Floats<kEight> pairs[4], fours[2];
  for (int i = 0; i < 4; ++i) {
    const Floats<kEight> a = part[2 * i], b = part[2 * i + 1];
    pairs[i] = __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14) +
               __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15);
  }
  for (int i = 0; i < 2; ++i) {
    const Floats<kEight> a = pairs[2 * i], b = pairs[2 * i + 1];
    fours[i] = __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13) +
               __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
  }
  return __builtin_shufflevector(fours[0], fours[1], 0, 1, 2, 3, 8, 9, 10, 11) +
         __builtin_shufflevector(fours[0], fours[1], 4, 5, 6, 7, 12, 13, 14, 15);
}

/// The products of eight tokens with the single row of the weight. Where fewer than eight tokens
/// are left, the last one is repeated.
inline Floats<kEight> dot_tokens(const RowView& row, std::int64_t first_token) {
  const ExitScore& score = row.score;
  const float* token[kEight];
  for (int t = 0; t < kEight; ++t) {
    const std::int64_t index = first_token + t < score.tokens_per_row ? first_token + t
                                                                      : score.tokens_per_row - 1;
    token[t] = row.tokens + index * score.token_stride;
  }
  Floats<kEight> part[kEight] = {};
  std::int64_t d = 0;
  for (; d + kEight <= score.width; d += kEight) {
    const Floats<kEight> weight = load<kEight>(score.weight + d);
    for (int t = 0; t < kEight; ++t) part[t] += weight * load<kEight>(token[t] + d);
  }
  if (d < score.width) {
    const Floats<kEight> weight = load_first<kEight>(score.weight + d, score.width - d);
    for (int t = 0; t < kEight; ++t)
      part[t] += weight * load_first<kEight>(token[t] + d, score.width - d);
  }
  return sum_each(part);
}

/// The sum over all tokens of a row for P = 1, where the dot product runs along the width instead.
inline float sum_scalar(const RowView& row) {
  Sum<kEight> sum;
  for (std::int64_t token = 0; token < row.score.tokens_per_row; token += kEight) {
    const std::int64_t left = row.score.tokens_per_row - token;
    const Floats<kEight> u = keep_first<kEight>(
        sigmoid<kEight>(dot_tokens(row, token) + row.bias[0]), left);
    if (row.map != nullptr) store_first<kEight>(u, row.map + token, left);
    sum.add(u);
  }
  return sum.lanes();
}

inline void score_rows(const ExitScore& score) {
  const std::int64_t per_row = score.tokens_per_row * score.values;
  for (std::int64_t r = 0; r < score.rows; ++r) {
    const RowView row{score, score.tokens + r * score.row_stride,
                      score.bias + r * score.bias_stride,
                      score.map == nullptr ? nullptr : score.map + r * per_row};
    const float sum = score.values == 1 ? sum_scalar(row) : sum_values(row);
    const float mean = sum / static_cast<float>(per_row);
    score.out[r] = mean > 1.0f ? 1.0f : mean;
  }
}

}  // namespace
}  // namespace adadiff::kernels
