// Pairs of branches, batch means and the bookkeeping of who is still in the pass.
#include "execution/decision_units.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace adadiff::detail {
namespace {

constexpr float kNotRead = std::numeric_limits<float>::quiet_NaN();
constexpr std::size_t kNoPartner = std::numeric_limits<std::size_t>::max();

float pair_reading(PairUncertainty rule, float conditional, float unconditional) {
  switch (rule) {
    case PairUncertainty::Larger:
      // Comparison alone would let a NaN in one branch pass unseen.
      return std::isnan(unconditional) ? unconditional : std::max(conditional, unconditional);
    case PairUncertainty::Mean:
      return (conditional + unconditional) / 2;
    case PairUncertainty::Conditional:
      return conditional;
  }
  return kNotRead;
}

}  // namespace

void DecisionUnits::build(const RowGroup& group, std::int64_t first_row) {
  plan_ = &group.plan;
  units_.clear();
  members_.clear();
  shared_.clear();
  for (const EvaluationRow& row : group.rows) add(row, first_row++);
  history_.assign(units_.size() * static_cast<std::size_t>(plan_->blocks), kNotRead);
  find_next_forced_exit();
}

void DecisionUnits::add(const EvaluationRow& row, std::int64_t number) {
  if (plan_->branches == Branches::Together && row.branch == 1) {
    const std::size_t partner = find_partner(row);
    if (partner != kNoPartner) {
      members_[partner].second = number;
      return;
    }
  }
  const CompiledEvaluation&
      evaluation = plan_->evaluations[static_cast<std::size_t>(row.evaluation)];
  Members members;
  members.first = number;
  members.history = units_.size() * static_cast<std::size_t>(plan_->blocks);
  members.shared = find_shared(row.evaluation, row.branch);
  members.max_exit = evaluation.max_exit;
  members_.push_back(members);
  units_.push_back({row.sample, row.branch, row.evaluation, evaluation.update.time});
}

/// Searches backwards: the partner is the row before in the usual order.
std::size_t DecisionUnits::find_partner(const EvaluationRow& row) const {
  for (std::size_t unit = units_.size(); unit-- > 0;) {
    const bool same = units_[unit].sample == row.sample &&
                      units_[unit].evaluation == row.evaluation;
    if (same && units_[unit].branch == 0 && members_[unit].second < 0) return unit;
  }
  return kNoPartner;
}

std::size_t DecisionUnits::find_shared(int evaluation, int branch) {
  for (std::size_t shared = 0; shared < shared_.size(); ++shared) {
    if (shared_[shared].evaluation == evaluation && shared_[shared].branch == branch) return shared;
  }
  shared_.push_back({evaluation, branch, 0, 0});
  return shared_.size() - 1;
}

void DecisionUnits::find_next_forced_exit() {
  next_forced_exit_ = std::numeric_limits<int>::max();
  for (const Members& members : members_)
    next_forced_exit_ = std::min(next_forced_exit_, members.max_exit);
}

float DecisionUnits::unit_reading(const Members& members, std::span<const float> row_scores) const {
  const float first = row_scores[static_cast<std::size_t>(members.first)];
  if (members.second < 0) return first;
  return pair_reading(plan_->pair, first, row_scores[static_cast<std::size_t>(members.second)]);
}

void DecisionUnits::read(int exit, std::span<const float> row_scores) {
  for (const Members& members : members_) {
    history_[members.history + static_cast<std::size_t>(exit)] = unit_reading(members, row_scores);
  }
  if (plan_->scope == Scope::Batch) share_means(exit);
}

void DecisionUnits::share_means(int exit) {
  for (SharedReading& shared : shared_) shared.sum = 0, shared.units = 0;
  for (const Members& members : members_) {
    shared_[members.shared].sum += static_cast<double>(
        history_[members.history + static_cast<std::size_t>(exit)]);
    ++shared_[members.shared].units;
  }
  for (const Members& members : members_) {
    const SharedReading& shared = shared_[members.shared];
    history_[members.history + static_cast<std::size_t>(exit)] = static_cast<float>(
        shared.sum / static_cast<double>(shared.units));
  }
}

void DecisionUnits::fill_readings(int exit, std::vector<float>& readings) const {
  const auto per_unit = static_cast<std::ptrdiff_t>(exit) + 1;
  readings.clear();
  for (const Members& members : members_) {
    const auto start = history_.begin() + static_cast<std::ptrdiff_t>(members.history);
    readings.insert(readings.end(), start, start + per_unit);
  }
}

void DecisionUnits::mark(std::span<const std::uint8_t> leave, std::span<std::uint8_t> rows) const {
  for (std::size_t unit = 0; unit < members_.size(); ++unit) {
    rows[static_cast<std::size_t>(members_[unit].first)] = leave[unit];
    if (members_[unit].second >= 0)
      rows[static_cast<std::size_t>(members_[unit].second)] = leave[unit];
  }
}

void DecisionUnits::drop(std::span<const std::uint8_t> leave) {
  std::size_t kept = 0;
  for (std::size_t unit = 0; unit < members_.size(); ++unit) {
    if (leave[unit] != 0) continue;
    members_[kept] = members_[unit];
    units_[kept] = units_[unit];
    ++kept;
  }
  members_.resize(kept);
  units_.resize(kept);
  find_next_forced_exit();
}

}  // namespace adadiff::detail
