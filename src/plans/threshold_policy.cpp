// The policy that a plan's own thresholds and agreement counts describe.
#include <algorithm>

#include "plans/compile.h"

namespace adadiff::detail {
namespace {

/// Counts the exits that agree, in the order in which a sample passes them. An exit whose threshold
/// is kNever casts no vote: it neither counts nor breaks a row, so agreement works on networks that
/// can be left at some blocks only.
class Agreement {
 public:
  explicit Agreement(Counting counting) : breaks_(counting == Counting::Consecutive) {}

  void pass(float below, float uncertainty) {
    if (below == kNever) return;
    // NaN compares false: a miss, but for kAlways, which takes no look.
    const bool is_hit = below == kAlways || uncertainty < below;
    hits_ = is_hit ? hits_ + 1 : breaks_ ? 0 : hits_;
    last_is_hit_ = is_hit;
  }
  bool reaches(int needed) const { return last_is_hit_ && hits_ >= needed; }

 private:
  bool breaks_;
  bool last_is_hit_ = false;
  int hits_ = 0;
};

class ThresholdPolicy final : public ExitPolicy {
 public:
  explicit ThresholdPolicy(const ExecutablePlan& plan)
      : rules_(plan.rules), counting_(plan.counting) {
    for (const CompiledEvaluation& evaluation : plan.evaluations)
      rule_of_.push_back(static_cast<std::size_t>(evaluation.rule));
  }

  Consult consult(const ExitSite& site) const override {
    bool all_never = true, all_leave = true, any_looks = false;
    const auto exit = static_cast<std::size_t>(site.exit);
    for (const DecisionUnit& unit : site.units) {
      const CompiledRule& rule = rule_of(unit);
      all_never = all_never && rule.below[exit] == kNever;
      all_leave = all_leave && rule.below[exit] == kAlways && rule.hits[exit] == 1;
      any_looks = any_looks || (rule.below[exit] != kNever && rule.below[exit] != kAlways);
    }
    if (all_never) return Consult::No;
    if (all_leave) return Consult::Leave;
    return any_looks ? Consult::Score : Consult::Decide;
  }

  void decide(const ExitSite& site, const Readings& readings,
              std::span<std::uint8_t> leave) const override {
    for (std::size_t i = 0; i < site.units.size(); ++i) {
      leave[i] = leaves(rule_of(site.units[i]), site.exit, readings, i) ? 1 : 0;
    }
  }

 private:
  const CompiledRule& rule_of(const DecisionUnit& unit) const {
    return rules_[rule_of_[static_cast<std::size_t>(unit.evaluation)]];
  }

  bool leaves(const CompiledRule& rule, int exit, const Readings& readings,
              std::size_t unit) const {
    const auto here = static_cast<std::size_t>(exit);
    if (rule.below[here] == kNever) return false;
    Agreement agreement(counting_);
    for (int k = 0; k <= exit; ++k)
      agreement.pass(rule.below[static_cast<std::size_t>(k)], readings.at(unit, k));
    return agreement.reaches(rule.hits[here]);
  }

  std::vector<CompiledRule> rules_;
  std::vector<std::size_t> rule_of_;  ///< [evaluations]
  Counting counting_;
};

}  // namespace

std::shared_ptr<const ExitPolicy> threshold_policy(const ExecutablePlan& plan) {
  return std::make_shared<ThresholdPolicy>(plan);
}

}  // namespace adadiff::detail
