// Turns the guide of a rule into tables by exit: which exit guides a sample that leaves there, and
// which predictions have to be kept for that.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <adadiff/plan.h>

namespace adadiff::detail {

inline constexpr int kNoGuide = -1;

/// The guide of a rule, spread over the exits of the model. Both lists are empty where no sample is
/// guided.
struct CompiledGuide {
  double weight = 1;
  /// [blocks + 1]: the exit that guides samples which leave at exit k, or kNoGuide.
  std::vector<int> guide_of;
  std::vector<int> slot;  ///< [blocks]: the slot in which the predictions of exit k are kept for
                          ///< samples that go on; kNoGuide where they are not needed
  bool is_empty() const { return guide_of.empty(); }
  int slots() const;  ///< the most predictions of a row that are kept at a time
};

/// The exits of a model and the places where samples under one rule may leave.
struct GuideSites {
  std::span<const std::uint8_t> can_exit;   ///< [blocks]
  std::span<const std::uint8_t> may_leave;  ///< [blocks + 1], the end of the network included
};

CompiledGuide compile_guide(const Guide& guide, const GuideSites& sites);

}  // namespace adadiff::detail
