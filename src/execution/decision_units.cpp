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

void DecisionUnits::build(std::span<const EvaluationRow> rows, const ExecutablePlan& plan) {
  plan_ = &plan;
  units_.clear();
  members_.clear();
  groups_.clear();
  positions_ = static_cast<std::int64_t>(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row)
    add(rows[row], static_cast<std::int64_t>(row));
  history_.assign(units_.size() * static_cast<std::size_t>(plan.blocks), kNotRead);
  find_next_forced_exit();
}

void DecisionUnits::add(const EvaluationRow& row, std::int64_t position) {
  if (plan_->branches == Branches::Together && row.branch == 1) {
    const std::size_t partner = find_partner(row);
    if (partner != kNoPartner) {
      members_[partner].second = position;
      return;
    }
  }
  const CompiledEvaluation&
      evaluation = plan_->evaluations[static_cast<std::size_t>(row.evaluation)];
  Members members;
  members.first = position;
  members.history = units_.size() * static_cast<std::size_t>(plan_->blocks);
  members.group = find_group(row.evaluation, row.branch);
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

std::size_t DecisionUnits::find_group(int evaluation, int branch) {
  for (std::size_t group = 0; group < groups_.size(); ++group) {
    if (groups_[group].evaluation == evaluation && groups_[group].branch == branch) return group;
  }
  groups_.push_back({evaluation, branch, 0, 0});
  return groups_.size() - 1;
}

void DecisionUnits::find_next_forced_exit() {
  next_forced_exit_ = std::numeric_limits<int>::max();
  for (const Members& members : members_)
    next_forced_exit_ = std::min(next_forced_exit_, members.max_exit);
}

float DecisionUnits::unit_reading(const Members& members, std::span<const float> scores) const {
  const float first = scores[static_cast<std::size_t>(members.first)];
  if (members.second < 0) return first;
  return pair_reading(plan_->pair, first, scores[static_cast<std::size_t>(members.second)]);
}

void DecisionUnits::read(int exit, std::span<const float> scores) {
  for (const Members& members : members_) {
    history_[members.history + static_cast<std::size_t>(exit)] = unit_reading(members, scores);
  }
  if (plan_->scope == Scope::Batch) share_means(exit);
}

void DecisionUnits::share_means(int exit) {
  for (Group& group : groups_) group.sum = 0, group.units = 0;
  for (const Members& members : members_) {
    groups_[members.group].sum += static_cast<double>(
        history_[members.history + static_cast<std::size_t>(exit)]);
    ++groups_[members.group].units;
  }
  for (const Members& members : members_) {
    const Group& group = groups_[members.group];
    history_[members.history + static_cast<std::size_t>(exit)] = static_cast<float>(
        group.sum / static_cast<double>(group.units));
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

void DecisionUnits::spread(std::span<const std::uint8_t> leave,
                           std::span<std::uint8_t> positions) const {
  for (std::size_t unit = 0; unit < members_.size(); ++unit) {
    positions[static_cast<std::size_t>(members_[unit].first)] = leave[unit];
    if (members_[unit].second >= 0)
      positions[static_cast<std::size_t>(members_[unit].second)] = leave[unit];
  }
}

void DecisionUnits::drop(std::span<const std::uint8_t> leave) {
  new_position_.assign(static_cast<std::size_t>(positions_), -1);
  for (std::size_t unit = 0; unit < members_.size(); ++unit) {
    if (leave[unit] != 0) continue;
    new_position_[static_cast<std::size_t>(members_[unit].first)] = 0;
    if (members_[unit].second >= 0)
      new_position_[static_cast<std::size_t>(members_[unit].second)] = 0;
  }
  positions_ = 0;
  for (std::int64_t& position : new_position_) {
    if (position == 0) position = positions_++;
  }
  std::size_t kept = 0;
  for (std::size_t unit = 0; unit < members_.size(); ++unit) {
    if (leave[unit] != 0) continue;
    Members members = members_[unit];
    members.first = new_position_[static_cast<std::size_t>(members.first)];
    if (members.second >= 0)
      members.second = new_position_[static_cast<std::size_t>(members.second)];
    members_[kept] = members;
    units_[kept] = units_[unit];
    ++kept;
  }
  members_.resize(kept);
  units_.resize(kept);
  find_next_forced_exit();
}

}  // namespace adadiff::detail
