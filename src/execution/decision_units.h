// Which rows of a group decide as one, and what has been read of them so far. Numbers only.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <adadiff/exit_policy.h>

#include "execution/execution.h"
#include "plans/compile.h"

namespace adadiff::detail {

/// The units of one group that are still in the pass. Rows are counted over all groups.
class DecisionUnits {
 public:
  /// `first_row` is the number of the group's first row.
  void build(const RowGroup& group, std::int64_t first_row);

  std::span<const DecisionUnit> units() const { return units_; }
  bool is_forced(std::size_t unit, int exit) const { return members_[unit].max_exit == exit; }
  /// Whether some unit still in the pass goes no further than `exit`.
  bool has_forced(int exit) const { return next_forced_exit_ == exit; }

  /// Turns one uncertainty per row into one reading per unit, by pair rule and scope.
  void read(int exit, std::span<const float> row_scores);
  /// [units x exit + 1] into `readings`, NaN where read() was not called.
  void fill_readings(int exit, std::vector<float>& readings) const;

  /// Marks the rows of the units with leave[i] != 0.
  void mark(std::span<const std::uint8_t> leave, std::span<std::uint8_t> rows) const;
  /// Drops the units with leave[i] != 0.
  void drop(std::span<const std::uint8_t> leave);

 private:
  struct Members {
    std::int64_t first = 0;    ///< the conditional or only row
    std::int64_t second = -1;  ///< the unconditional row of a pair
    std::size_t history = 0;   ///< where this unit's readings start
    std::size_t shared = 0;    ///< units with the same entry share a reading under Scope::Batch
    int max_exit = 0;
  };
  struct SharedReading {
    int evaluation = 0, branch = 0;
    double sum = 0;
    std::int64_t units = 0;
  };

  void add(const EvaluationRow& row, std::int64_t number);
  std::size_t find_partner(const EvaluationRow& row) const;
  std::size_t find_shared(int evaluation, int branch);
  void find_next_forced_exit();
  float unit_reading(const Members& members, std::span<const float> row_scores) const;
  void share_means(int exit);

  const ExecutablePlan* plan_ = nullptr;
  std::vector<DecisionUnit> units_;
  std::vector<Members> members_;  ///< parallel to units_
  std::vector<SharedReading> shared_;
  std::vector<float> history_;  ///< [units at build x blocks]
  int next_forced_exit_ = 0;
};

}  // namespace adadiff::detail
