// Turns a rule's guide into tables by exit: who is guided by which exit, and which predictions have
// to be kept for it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <adadiff/plan.h>

namespace adadiff::detail {

inline constexpr int kNoGuide = -1;

/// A rule's guide, spread over the exits of the model. Both lists are empty where nobody is guided.
struct CompiledGuide {
  double weight = 1;
  std::vector<int>
      guide_of;  ///< [blocks + 1]: the exit that guides samples which leave at exit k, or kNoGuide
  std::vector<int> slot;  ///< [blocks]: where the predictions of exit k are kept for those that go
                          ///< on, or kNoGuide: nobody needs them
  bool is_empty() const { return guide_of.empty(); }
  int slots() const;  ///< how many predictions of a row are kept at a time, at most
};

/// The exits of a model and the places where samples under one rule may leave.
struct GuideSites {
  std::span<const std::uint8_t> can_exit;   ///< [blocks]
  std::span<const std::uint8_t> may_leave;  ///< [blocks + 1], the end of the network included
};

CompiledGuide compile_guide(const Guide& guide, const GuideSites& sites);

}  // namespace adadiff::detail
