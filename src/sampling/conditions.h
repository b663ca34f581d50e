// What the samples of a request are drawn from, in host memory.
#pragma once

#include <cstdint>
#include <vector>

namespace adadiff::detail {

/// A table of entries; each list is empty where the network does not take it. Sample i is drawn
/// from entry i % named, an unconditional branch from entry `none`.
struct Conditions {
  std::int64_t named = 0;  ///< how many entries samples cycle through; 0: there are no conditions
  std::int64_t none = -1;  ///< -1: there is no unconditional branch
  std::vector<std::int64_t> labels = {};  ///< [E]
  std::vector<float> tokens = {};         ///< [E, L, D]
  std::vector<std::uint8_t> mask = {};    ///< [E, L], 1: the token counts
  std::vector<float> pooled = {};         ///< [E, P]

  std::int64_t entries() const { return named + (none >= 0 ? 1 : 0); }
  std::int64_t entry_of(std::int64_t sample, int branch) const {
    return branch == 0 ? sample % named : none;
  }
};

}  // namespace adadiff::detail
