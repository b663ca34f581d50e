// What guiding exits predicted for the rows that went on, and how it changes the predictions of
// those that leave.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "execution/execution.h"
#include "plans/compile.h"

namespace adadiff::detail {

/// Rows are numbered as in the evaluation that begin() announced. Keeps its buffer from evaluation
/// to evaluation.
class GuideStore {
 public:
  /// Of `channels` channels of a prediction that are guided; the others keep what their exit says.
  GuideStore(std::int64_t capacity, std::int64_t channels)
      : capacity_(capacity), channels_(channels) {}

  /// Plans are borrowed until the next begin(). Predictions are shaped like rows of `out`.
  void begin(std::span<const RowGroup> groups, const at::Tensor& out);

  /// Whether the prediction of `row` at `exit` may guide it later.
  bool keeps(std::int64_t row, int exit) const { return slot(row, exit) != kNoGuide; }
  /// Where keeps() is true: which row of store() takes the prediction.
  std::int64_t place(std::int64_t row, int exit) const { return slot(row, exit) * capacity_ + row; }
  at::Tensor& store() { return store_; }  ///< [slots x capacity, C, H, W]

  /// The exit that guides `row` if it leaves at `exit`; kNoGuide: none.
  int guide_of(std::int64_t row, int exit) const;
  /// Replaces the predictions of those of `rows`, which leave at `exit`, that are guided.
  void guide(std::span<const std::int64_t> rows, int exit, const at::Tensor& out);

 private:
  const CompiledGuide& guide_at(std::int64_t row) const {
    return *guides_[static_cast<std::size_t>(row)];
  }
  int slot(std::int64_t row, int exit) const;

  std::int64_t capacity_, channels_;
  std::vector<const CompiledGuide*> guides_;  ///< of each row
  at::Tensor store_;
  std::vector<std::int64_t> guided_, places_;
  std::vector<float> extra_weights_;
};

}  // namespace adadiff::detail
