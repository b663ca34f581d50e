// The policy that repeats recorded exits, each sample its own.
#include <algorithm>
#include <utility>

#include <adadiff/exit_policy.h>

#include "core/check.h"

namespace adadiff {
namespace {

constexpr int kUnrecorded = -1;

class ReplayPolicy final : public ExitPolicy {
 public:
  explicit ReplayPolicy(std::vector<std::vector<int>> exits) : exits_(std::move(exits)) {}

  Consult consult(const ExitSite& site) const override {
    const auto leaving = std::count_if(site.units.begin(), site.units.end(),
                                       [&](const auto& unit) { return leaves(unit, site.exit); });
    if (leaving == 0) return Consult::No;
    return leaving == std::ssize(site.units) ? Consult::Leave : Consult::Decide;
  }

  void decide(const ExitSite& site, const Readings&, std::span<std::uint8_t> leave) const override {
    for (std::size_t i = 0; i < site.units.size(); ++i)
      leave[i] = leaves(site.units[i], site.exit) ? 1 : 0;
  }

 private:
  /// Also true past the recorded exit: where the network lacks that one, the sample takes the next.
  bool leaves(const DecisionUnit& unit, int exit) const {
    const auto evaluation = static_cast<std::size_t>(unit.evaluation),
               sample = static_cast<std::size_t>(unit.sample);
    if (evaluation >= exits_.size() || sample >= exits_[evaluation].size()) return false;
    const int recorded = exits_[evaluation][sample];
    return recorded != kUnrecorded && recorded <= exit;
  }

  std::vector<std::vector<int>> exits_;  ///< [evaluation][sample]
};

}  // namespace

std::shared_ptr<const ExitPolicy> replay_policy(std::vector<std::vector<int>> exits) {
  for (std::size_t i = 0; i < exits.size(); ++i) {
    for (std::size_t j = 0; j < exits[i].size(); ++j) {
      if (exits[i][j] >= kUnrecorded && exits[i][j] <= 255) continue;
      detail::raise({"replay_policy.exits[" + std::to_string(i) + "][" + std::to_string(j) + "]",
                     "be in [0, 255], or -1 for none", "is " + detail::show(exits[i][j])});
    }
  }
  return std::make_shared<ReplayPolicy>(std::move(exits));
}

}  // namespace adadiff
