// The uncertainties of a pass: what all rows share is computed once per evaluation.
#pragma once

#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

#include <adadiff/network.h>

#include "nn/uncertainty.h"

namespace adadiff::detail {

/// Of one pass; modules are packed when it is made.
class ExitScores {
 public:
  /// One module per block, all of one form; of the form None: nothing can be scored.
  explicit ExitScores(const std::vector<UncertaintyModule>& modules);

  /// time_embedding [R, D] of the evaluation that begins.
  void begin(at::Tensor time_embedding);
  void keep(const at::Tensor& rows);
  const at::Tensor& time_embedding() const { return time_embedding_; }
  /// After `block`, from its patch tokens [R, T, D], into out [R]. Raises InvalidArgument where
  /// there are no modules.
  void score(std::int64_t block, const at::Tensor& tokens, const at::Tensor& out) const;

 private:
  std::optional<PackedUncertainty> packed_;
  at::Tensor time_embedding_;
  mutable at::Tensor token_free_parts_;  ///< made when the first exit asks
};

}  // namespace adadiff::detail
