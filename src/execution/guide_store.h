// What guiding exits predicted for the rows that went on, and how it changes the predictions of
// those that leave.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "execution/decision_units.h"
#include "plans/compile.h"

namespace adadiff::detail {

/// Rows are numbered as in the evaluation that begin() announced. Keeps its buffer from evaluation
/// to evaluation.
class GuideStore {
 public:
  explicit GuideStore(std::int64_t capacity) : capacity_(capacity) {}

  /// Plan and rows are borrowed until the next begin(). Predictions are shaped like rows of `out`.
  void begin(const ExecutablePlan& plan, std::span<const EvaluationRow> rows,
             const at::Tensor& out);

  /// Whether the prediction of `row` at `exit` may guide it later.
  bool keeps(std::int64_t row, int exit) const { return slot(row, exit) != kNoGuide; }
  /// Where keeps() is true: which row of store() takes the prediction.
  std::int64_t place(std::int64_t row, int exit) const { return slot(row, exit) * capacity_ + row; }
  at::Tensor& store() { return store_; }  ///< [slots x capacity, C, H, W]

  /// The exit that guides `row` if it leaves at `exit`; kNoGuide: none.
  int guide_of(std::int64_t row, int exit) const;
  /// Replaces the predictions of those of `rows`, which leave at `exit`, that are guided.
  void guide(std::span<const std::int64_t> rows, int exit, at::Tensor& out);

 private:
  const CompiledGuide& guide_at(std::int64_t row) const {
    return plan_->rule_of(rows_[static_cast<std::size_t>(row)].evaluation).guide;
  }
  int slot(std::int64_t row, int exit) const;

  std::int64_t capacity_;
  const ExecutablePlan* plan_ = nullptr;
  std::span<const EvaluationRow> rows_;
  at::Tensor store_;
  std::vector<std::int64_t> guided_, places_;
  std::vector<float> extra_weights_;
};

}  // namespace adadiff::detail
