// The long skips of a pass: what earlier blocks made for later ones.
#pragma once

#include <utility>
#include <vector>

#include <ATen/ATen.h>

namespace adadiff::detail {

/// Entries keep the rows that they were made with and are compacted when they are used, so that
/// rows which leave cost no copy of what nobody will read.
class SkipStack {
 public:
  void clear() { skips_.clear(); }
  /// [R, ...] for the rows that are in the pass now.
  void push(const at::Tensor& values) { skips_.push_back({values, {}}); }
  /// The newest entry, of the rows that are in the pass now.
  at::Tensor pop() {
    const Skip skip = std::move(skips_.back());
    skips_.pop_back();
    return skip.rows.defined() ? skip.values.index_select(0, skip.rows) : skip.values;
  }
  /// See ForwardPass::keep.
  void keep(const at::Tensor& rows) {
    for (Skip& skip : skips_)
      skip.rows = skip.rows.defined() ? skip.rows.index_select(0, rows) : rows;
  }

 private:
  struct Skip {
    at::Tensor values;
    at::Tensor rows;  ///< [R] which of them are still in the pass; undefined: all
  };
  std::vector<Skip> skips_;
};

}  // namespace adadiff::detail
