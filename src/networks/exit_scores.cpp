// Scores tokens, keeping what does not depend on them.
#include "networks/exit_scores.h"

#include <utility>

#include <ATen/ATen.h>

#include "core/check.h"

namespace adadiff::detail {

std::shared_ptr<const PackedUncertainty> pack(const std::vector<UncertaintyModule>& modules) {
  if (modules.empty() || !modules.front().weight.defined()) return nullptr;
  const bool is_for_kernel = modules.front().weight.is_cpu();
  return std::make_shared<const PackedUncertainty>(modules, is_for_kernel);
}

ExitScores::ExitScores(std::shared_ptr<const PackedUncertainty> packed)
    : packed_(std::move(packed)) {}

void ExitScores::begin(at::Tensor time_embedding) {
  time_embedding_ = std::move(time_embedding);
  token_free_parts_.reset();
}

void ExitScores::keep(const at::Tensor& rows) {
  time_embedding_ = time_embedding_.index_select(0, rows);
  if (token_free_parts_.defined() && token_free_parts_.size(0) > 1)
    token_free_parts_ = token_free_parts_.index_select(0, rows);
}

void ExitScores::score(std::int64_t block, const at::Tensor& tokens, const at::Tensor& out) const {
  if (!packed_) {
    raise({"ForwardPass.score", "be called on a network with uncertainty modules",
           "this one has none"});
  }
  if (!token_free_parts_.defined()) token_free_parts_ = token_free_parts(*packed_, time_embedding_);
  score_tokens(*packed_, block, tokens, token_free_parts_, out);
}

}  // namespace adadiff::detail
