// Which rows of an evaluation decide as one, and what has been read of them so far. Numbers only.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <adadiff/exit_policy.h>

#include "plans/compile.h"

namespace adadiff::detail {

/// One row of an evaluation: which sample, which guidance branch (0 conditional or only, 1
/// unconditional), which evaluation of the plan.
struct EvaluationRow {
  std::int64_t sample = 0;
  int branch = 0;
  int evaluation = 0;
};

/// The units still in the pass. Positions count the rows still in the pass, from 0.
class DecisionUnits {
 public:
  void build(std::span<const EvaluationRow> rows, const ExecutablePlan& plan);

  std::span<const DecisionUnit> units() const { return units_; }
  /// Lowest max_exit of the units still in the pass.
  int next_forced_exit() const { return next_forced_exit_; }
  bool is_forced(std::size_t unit, int exit) const { return members_[unit].max_exit == exit; }

  /// Turns one uncertainty per position into one reading per unit, by pair rule and scope.
  void read(int exit, std::span<const float> scores);
  /// [units x exit + 1] into `readings`, NaN where read() was not called.
  void fill_readings(int exit, std::vector<float>& readings) const;

  /// Marks the positions of the units with leave[i] != 0.
  void spread(std::span<const std::uint8_t> leave, std::span<std::uint8_t> positions) const;
  /// Drops the units with leave[i] != 0 and renumbers the positions of the others.
  void drop(std::span<const std::uint8_t> leave);

 private:
  struct Members {
    std::int64_t first = 0;    ///< position of the conditional or only row
    std::int64_t second = -1;  ///< position of the unconditional row of a pair
    std::size_t history = 0;   ///< where this unit's readings start
    std::size_t group = 0;     ///< units of one group share a reading under Scope::Batch
    int max_exit = 0;
  };
  struct Group {
    int evaluation = 0, branch = 0;
    double sum = 0;
    std::int64_t units = 0;
  };

  void add(const EvaluationRow& row, std::int64_t position);
  std::size_t find_partner(const EvaluationRow& row) const;
  std::size_t find_group(int evaluation, int branch);
  void find_next_forced_exit();
  float unit_reading(const Members& members, std::span<const float> scores) const;
  void share_means(int exit);

  const ExecutablePlan* plan_ = nullptr;
  std::vector<DecisionUnit> units_;
  std::vector<Members> members_;  ///< parallel to units_
  std::vector<Group> groups_;
  std::vector<float> history_;  ///< [units at build x blocks]
  std::vector<std::int64_t> new_position_;
  std::int64_t positions_ = 0;
  int next_forced_exit_ = 0;
};

}  // namespace adadiff::detail
