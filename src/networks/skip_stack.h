// What a pass made early and reads late: the long skips between its blocks, for instance.
#pragma once

#include <utility>
#include <vector>

#include <ATen/ATen.h>

namespace adadiff::detail {

/// A tensor [R, ...] that keeps the rows that it was made with and is compacted when it is read, so
/// that rows which leave cost no copy of what nobody will read.
class KeptTensor {
 public:
  KeptTensor() = default;
  explicit KeptTensor(at::Tensor values) : values_(std::move(values)) {}
  /// Of the rows that are in the pass now.
  at::Tensor get() const { return rows_.defined() ? values_.index_select(0, rows_) : values_; }
  /// Of the rows at those positions of the pass.
  at::Tensor get(const at::Tensor& positions) const {
    const at::Tensor rows = rows_.defined() ? rows_.index_select(0, positions) : positions;
    return values_.index_select(0, rows);
  }
  /// See ForwardPass::keep.
  void keep(const at::Tensor& rows) {
    rows_ = rows_.defined() ? rows_.index_select(0, rows) : rows;
  }

 private:
  at::Tensor values_;
  at::Tensor rows_;  ///< [R] which of them are still in the pass; undefined: all
};

/// The long skips of a pass, the newest first.
class SkipStack {
 public:
  void clear() { skips_.clear(); }
  /// [R, ...] for the rows that are in the pass now.
  void push(const at::Tensor& values) { skips_.emplace_back(values); }
  /// The newest entry, of the rows that are in the pass now.
  at::Tensor pop() {
    const KeptTensor skip = std::move(skips_.back());
    skips_.pop_back();
    return skip.get();
  }
  /// See ForwardPass::keep.
  void keep(const at::Tensor& rows) {
    for (KeptTensor& skip : skips_) skip.keep(rows);
  }

 private:
  std::vector<KeptTensor> skips_;
};

}  // namespace adadiff::detail
