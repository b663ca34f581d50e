// Picks a few of many numbers, spread evenly.
#pragma once

#include <cstdint>

namespace adadiff::detail {

/// The i-th of `kept` evenly spread numbers in [0, count), which rise with i. `kept` may be at most
/// 2^20 and `count` at most 2^34.
constexpr std::int64_t evenly_spread(std::int64_t i, std::int64_t kept, std::int64_t count) {
  return kept == count ? i : i * count / kept;
}

}  // namespace adadiff::detail
