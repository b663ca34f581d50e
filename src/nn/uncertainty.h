// The uncertainty estimation module (UEM) of one exit: u = mean over patches and patch values of sigmoid(W token + V e(t) + b).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "nn/layers.h"

namespace adadiff::detail {

enum class UncertaintyForm {
  None,
  Map,       ///< W [P, D], no time: the official AdaDiff release
  TimedMap,  ///< W [P, D], V [P, D]: the paper
  Scalar     ///< W [1, D], V [1, D]: one number per token
};

UncertaintyForm parse_uncertainty_form(std::string_view name, const std::string& where);  ///< throws ModelError
std::string_view to_string(UncertaintyForm form);

struct UncertaintyModule {
  at::Tensor weight;       ///< [P, D], P = p p C in value order (p1, p2, C), or 1
  at::Tensor bias;         ///< [P]
  at::Tensor time_weight;  ///< [P, D] or undefined
  void visit(const std::string& prefix, const ParameterVisitor& visitor);
};

/// P = `patch_values` for the map forms, 1 for the scalar; undefined tensors for None.
UncertaintyModule make_uncertainty(UncertaintyForm form, std::int64_t width, std::int64_t patch_values);

/// The part that does not depend on the tokens: V e(t) + b, [B, P]; [1, P] without V.
at::Tensor token_free_part(const UncertaintyModule& module, const at::Tensor& time_embedding);

/// sigmoid per token and value, [B, T, P], with gradients to the module only: tokens and embedding are detached.
at::Tensor uncertainty_per_token(const UncertaintyModule& module, const at::Tensor& tokens, const at::Tensor& time_embedding);

/// The modules of all blocks as the fused kernel reads them; made anew whenever a weight changes. All of one form, not None.
struct PackedUncertainty {
  explicit PackedUncertainty(const std::vector<UncertaintyModule>& modules);

  std::int64_t values = 0;         ///< P
  std::vector<at::Tensor> weight;  ///< [blocks] of W
  Linear token_free;               ///< V of all blocks [blocks x P, D], undefined without V, and b [blocks x P]
};

/// The part of all blocks that does not depend on the tokens, in one product: [B, blocks x P]; [1, blocks x P] without V.
at::Tensor token_free_parts(const PackedUncertainty& packed, const at::Tensor& time_embedding);

/// One number per row into out [B] float32, by the fused kernel; the map is not written. tokens [B, T, D] float32, last dimension dense;
/// `parts` from token_free_parts.
void score_tokens(const PackedUncertainty& packed, std::int64_t block, const at::Tensor& tokens, const at::Tensor& parts, at::Tensor& out);

}  // namespace adadiff::detail
