// Conditions that are nothing but labels.
#pragma once

#include <ATen/ATen.h>

#include <adadiff/network.h>

namespace adadiff::detail {

/// The table in which entry e is label e, so that PassInputs::entries holds the rows' labels.
class LabelTable {
 public:
  explicit LabelTable(const NetworkInfo& info, const at::Device& device = at::kCPU) {
    if (info.classes > 0) labels_ = at::arange(info.classes, at::kLong).to(device);
  }
  ConditionTable table() const { return {.labels = labels_.defined() ? &labels_ : nullptr}; }

 private:
  at::Tensor labels_;  ///< [classes]
};

/// [R] int64: each row's label. For networks that take labels, after check_pass_inputs.
inline at::Tensor row_labels(const PassInputs& inputs) {
  return inputs.conditions.labels->index_select(0, inputs.entries);
}

}  // namespace adadiff::detail
