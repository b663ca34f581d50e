// The uncertainties of a pass. What does not depend on the tokens is computed once per evaluation.
#pragma once

#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include <adadiff/network.h>

#include "nn/uncertainty.h"

namespace adadiff::detail {

/// The modules of all blocks as scoring reads them; null where there are none.
std::shared_ptr<const PackedUncertainty> pack(const std::vector<UncertaintyModule>& modules);

/// The scores of one pass.
class ExitScores {
 public:
  /// With null, nothing can be scored.
  explicit ExitScores(std::shared_ptr<const PackedUncertainty> packed);

  /// Starts an evaluation with its time_embedding [R, D].
  void begin(at::Tensor time_embedding);
  void keep(const at::Tensor& rows);
  const at::Tensor& time_embedding() const { return time_embedding_; }
  /// Writes the uncertainty after `block`, from its patch tokens [R, T, D], into out [R]. Raises
  /// InvalidArgument where there are no modules.
  void score(std::int64_t block, const at::Tensor& tokens, const at::Tensor& out) const;

 private:
  std::shared_ptr<const PackedUncertainty> packed_;
  at::Tensor time_embedding_;
  mutable at::Tensor token_free_parts_;  ///< made when the first exit is scored
};

}  // namespace adadiff::detail
