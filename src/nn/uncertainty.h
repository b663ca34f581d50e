// The uncertainty estimation module (UEM) of one exit: u = mean over patches and patch values of sigmoid(W token + V e(t) + b).
#pragma once

#include <string>
#include <string_view>

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

/// A module's weight as the fused kernel reads it; made anew whenever the weight changes.
at::Tensor pack_weight(const UncertaintyModule& module);

/// One number per row into out [B] float32, by the fused kernel; the map is not written. tokens [B, T, D] float32, last dimension dense;
/// `packed` from pack_weight.
void score_tokens(const UncertaintyModule& module, const at::Tensor& packed, const at::Tensor& tokens, const at::Tensor& time_embedding,
                  at::Tensor& out);

}  // namespace adadiff::detail
