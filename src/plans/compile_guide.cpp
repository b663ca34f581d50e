// Follows a sample's way through the exits for every place where it may leave.
#include "plans/compile_guide.h"

#include <algorithm>
#include <utility>

namespace adadiff::detail {
namespace {

/// The `count`-th of the network's exits before `exit`, counted backwards; kNoGuide where there are
/// fewer.
int exit_before(int exit, int count, std::span<const std::uint8_t> can_exit) {
  for (int k = exit - 1; k >= 0; --k) {
    if (can_exit[static_cast<std::size_t>(k)] != 0 && --count == 0) return k;
  }
  return kNoGuide;
}

int find_guide(const Guide& guide, int exit, std::span<const std::uint8_t> can_exit) {
  const int chosen = !guide.exit          ? exit_before(exit, guide.before, can_exit)
                     : *guide.exit < exit ? *guide.exit
                                          : kNoGuide;
  if (chosen != kNoGuide || guide.fallback == GuideFallback::None) return chosen;
  return exit_before(exit, 1, can_exit);
}

/// The last exit at which somebody may leave who is guided by `exit`; kNoGuide where there is none.
int last_use(const std::vector<int>& guide_of, int exit) {
  const auto found = std::find(guide_of.rbegin(), guide_of.rend(), exit);
  return found == guide_of.rend() ? kNoGuide : static_cast<int>(guide_of.rend() - found) - 1;
}

/// Those who leave at an exit are served before its own predictions are kept, which may then take
/// the place of their guide's.
std::vector<int> assign_slots(const std::vector<int>& guide_of) {
  std::vector<int> slot(guide_of.size() - 1, kNoGuide);
  std::vector<int> busy_until;  // [slots]
  for (int k = 0; k < std::ssize(slot); ++k) {
    const int until = last_use(guide_of, k);
    if (until == kNoGuide) continue;
    auto free = std::find_if(busy_until.begin(), busy_until.end(),
                             [k](int busy) { return busy <= k; });
    if (free == busy_until.end()) free = busy_until.insert(free, 0);
    *free = until;
    slot[static_cast<std::size_t>(k)] = static_cast<int>(free - busy_until.begin());
  }
  return slot;
}

}  // namespace

int CompiledGuide::slots() const {
  return slot.empty() ? 0 : *std::max_element(slot.begin(), slot.end()) + 1;
}

CompiledGuide compile_guide(const Guide& guide, const GuideSites& sites) {
  CompiledGuide compiled;
  if (guide.weight == 1) return compiled;
  std::vector<int> guide_of(sites.may_leave.size(), kNoGuide);
  for (std::size_t k = 0; k < guide_of.size(); ++k) {
    if (sites.may_leave[k] != 0)
      guide_of[k] = find_guide(guide, static_cast<int>(k), sites.can_exit);
  }
  if (std::all_of(guide_of.begin(), guide_of.end(), [](int k) { return k == kNoGuide; }))
    return compiled;
  compiled.weight = guide.weight;
  compiled.slot = assign_slots(guide_of);
  compiled.guide_of = std::move(guide_of);
  return compiled;
}

}  // namespace adadiff::detail
