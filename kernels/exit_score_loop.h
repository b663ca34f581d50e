// The exit score's loops, once for every instruction set: each file that includes this makes its own copy under its own compiler flags.
// A block of tokens is multiplied with a panel of 16 values in registers; sigmoid and sum follow while the logits are still there.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/exit_score.h"

namespace adadiff::kernels {

namespace {

constexpr int kWide = 8;
using Floats = float __attribute__((vector_size(4 * kWide)));
using Ints = std::int32_t __attribute__((vector_size(4 * kWide)));

constexpr int kPanelHalves = 2;
#if defined(__AVX2__) || defined(__aarch64__)
constexpr int kTokensAtOnce = 6;  // 6 x 2 sums, 2 of weight and 1 token fill sixteen registers
#else
constexpr int kTokensAtOnce = 2;
#endif
constexpr Ints kLane = {0, 1, 2, 3, 4, 5, 6, 7};

inline Floats load(const float* from) {
  Floats value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// The first `count` of eight floats, zeros behind them; 8 or more read all.
inline Floats load_first(const float* from, std::int64_t count) {
  if (count >= kWide) return load(from);
  Floats value = {};
  if (count > 0) std::memcpy(&value, from, static_cast<std::size_t>(count) * sizeof(float));
  return value;
}

inline void store_first(Floats value, float* to, std::int64_t count) {
  const std::int64_t stored = count < kWide ? count : kWide;
  if (stored > 0) std::memcpy(to, &value, static_cast<std::size_t>(stored) * sizeof(float));
}

inline Floats keep_first(Floats value, std::int64_t count) {
  const auto bound = static_cast<std::int32_t>(count < kWide ? count : kWide);
  return kLane < bound ? value : Floats{};
}

/// 1 / (1 + exp(-x)) within 2e-7; NaN stays NaN. exp: power of two times a polynomial of degree 6 on |r| <= log(2) / 2.
inline Floats sigmoid(Floats x) {
  constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, which stands in the low bits
  constexpr std::int32_t kMagicBits = 0x4b400000, kOneBits = 0x3f800000;
  Floats y = -x;
  y = y < -87.0f ? Floats{} - 87.0f : y;
  y = y > 88.0f ? Floats{} + 88.0f : y;
  const Floats shifted = y * 1.44269504089f + kMagic;
  const Floats power = shifted - kMagic;
  const Floats r = (y - power * 0.693145751953125f) - power * 1.42860677e-6f;
  Floats p = r * 0.00139464465629f + 0.00836915169419f;
  p = p * r + 0.0416662631361f;
  p = p * r + 0.166665159889f;
  p = p * r + 0.500000008081f;
  p = p * (r * r) + r + 1.0f;
  const Ints scale_bits = ((reinterpret_cast<Ints>(shifted) - kMagicBits) << 23) + kOneBits;
  return 1.0f / (1.0f + p * reinterpret_cast<Floats>(scale_bits));
}

/// A sum of vectors with the rounding error carried along (Kahan 1965), so that its error does not grow with the number of tokens.
struct Sum {
  Floats total = {}, carried = {};
  void add(Floats value) {
    const Floats corrected = value - carried;
    const Floats next = total + corrected;
    carried = (next - total) - corrected;
    total = next;
  }
  float lanes() const { return ((total[0] + total[4]) + (total[1] + total[5])) + ((total[2] + total[6]) + (total[3] + total[7])); }
};

/// What stays the same within a row.
struct RowView {
  const ExitScore& score;
  const float* tokens;  // [tokens_per_row, D]
  const float* bias;    // [P]
  float* map;           // [tokens_per_row, P] or null
};

/// The logits of `Tokens` tokens for one panel, without the bias.
template <int Tokens, int Halves>
inline void multiply(const ExitScore& score, const float* token, const float* panel, Floats (&logit)[Tokens][Halves]) {
  for (std::int64_t d = 0; d < score.width; ++d) {
    Floats weight[Halves];
    for (int half = 0; half < Halves; ++half) weight[half] = load(panel + (d * Halves + half) * kWide);
    for (int t = 0; t < Tokens; ++t) {
      for (int half = 0; half < Halves; ++half) logit[t][half] += weight[half] * token[t * score.token_stride + d];
    }
  }
}

template <int Tokens, int Halves>
inline Floats score_panel(const RowView& row, std::int64_t first_token, std::int64_t first_value) {
  const ExitScore& score = row.score;
  Floats logit[Tokens][Halves];
  for (int half = 0; half < Halves; ++half) {
    const Floats bias = load_first(row.bias + first_value + half * kWide, score.values - first_value - half * kWide);
    for (int t = 0; t < Tokens; ++t) logit[t][half] = bias;
  }
  multiply<Tokens, Halves>(score, row.tokens + first_token * score.token_stride, score.weight + first_value * score.width, logit);
  Floats sum = {};
  for (int t = 0; t < Tokens; ++t) {
    for (int half = 0; half < Halves; ++half) {
      const std::int64_t value = first_value + half * kWide;
      const Floats u = keep_first(sigmoid(logit[t][half]), score.values - value);
      if (row.map != nullptr) store_first(u, row.map + (first_token + t) * score.values + value, score.values - value);
      sum += u;
    }
  }
  return sum;
}

template <int Tokens>
void score_tokens(const RowView& row, std::int64_t first_token, Sum& sum) {
  constexpr std::int64_t kPanel = kPanelHalves * kWide;
  std::int64_t value = 0;
  for (; value + kWide < row.score.values; value += kPanel) sum.add(score_panel<Tokens, kPanelHalves>(row, first_token, value));
  if (value < row.score.values) sum.add(score_panel<Tokens, 1>(row, first_token, value));
}

template <int Tokens>
void score_remaining(const RowView& row, std::int64_t first_token, Sum& sum) {
  if constexpr (Tokens > 0) {
    if (row.score.tokens_per_row - first_token == Tokens) {
      score_tokens<Tokens>(row, first_token, sum);
    } else {
      score_remaining<Tokens - 1>(row, first_token, sum);
    }
  }
}

inline void score_values(const RowView& row, Sum& sum) {
  std::int64_t token = 0;
  for (; token + kTokensAtOnce <= row.score.tokens_per_row; token += kTokensAtOnce) score_tokens<kTokensAtOnce>(row, token, sum);
  score_remaining<kTokensAtOnce - 1>(row, token, sum);
}

/// Lane t of the result is the sum of part[t].
inline Floats sum_each(const Floats (&part)[kWide]) {
  Floats pairs[4], fours[2];
  for (int i = 0; i < 4; ++i) {
    const Floats a = part[2 * i], b = part[2 * i + 1];
    pairs[i] = __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14) + __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15);
  }
  for (int i = 0; i < 2; ++i) {
    const Floats a = pairs[2 * i], b = pairs[2 * i + 1];
    fours[i] = __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13) + __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
  }
  return __builtin_shufflevector(fours[0], fours[1], 0, 1, 2, 3, 8, 9, 10, 11) +
         __builtin_shufflevector(fours[0], fours[1], 4, 5, 6, 7, 12, 13, 14, 15);
}

/// Eight tokens (the last one again where fewer are left) times the one row of weight.
inline Floats dot_tokens(const RowView& row, std::int64_t first_token) {
  const ExitScore& score = row.score;
  const float* token[kWide];
  for (int t = 0; t < kWide; ++t) {
    const std::int64_t index = first_token + t < score.tokens_per_row ? first_token + t : score.tokens_per_row - 1;
    token[t] = row.tokens + index * score.token_stride;
  }
  Floats part[kWide] = {};
  std::int64_t d = 0;
  for (; d + kWide <= score.width; d += kWide) {
    const Floats weight = load(score.weight + d);
    for (int t = 0; t < kWide; ++t) part[t] += weight * load(token[t] + d);
  }
  if (d < score.width) {
    const Floats weight = load_first(score.weight + d, score.width - d);
    for (int t = 0; t < kWide; ++t) part[t] += weight * load_first(token[t] + d, score.width - d);
  }
  return sum_each(part);
}

/// P = 1: the dot product runs along the width instead.
inline void score_scalar(const RowView& row, Sum& sum) {
  for (std::int64_t token = 0; token < row.score.tokens_per_row; token += kWide) {
    const std::int64_t left = row.score.tokens_per_row - token;
    const Floats u = keep_first(sigmoid(dot_tokens(row, token) + row.bias[0]), left);
    if (row.map != nullptr) store_first(u, row.map + token, left);
    sum.add(u);
  }
}

inline void score_rows(const ExitScore& score) {
  const std::int64_t per_row = score.tokens_per_row * score.values;
  for (std::int64_t r = 0; r < score.rows; ++r) {
    const RowView row{score, score.tokens + r * score.row_stride, score.bias + r * score.bias_stride,
                      score.map == nullptr ? nullptr : score.map + r * per_row};
    Sum sum;
    if (score.values == 1) {
      score_scalar(row, sum);
    } else {
      score_values(row, sum);
    }
    const float mean = sum.lanes() / static_cast<float>(per_row);
    score.out[r] = mean > 1.0f ? 1.0f : mean;
  }
}

}  // namespace
}  // namespace adadiff::kernels
