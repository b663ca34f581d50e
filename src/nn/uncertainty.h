// The uncertainty estimation module (UEM) of one exit. The forms per token: u = mean over patches
// and patch values of sigmoid(W token + V e(t) + b). The pooled form: u = sigmoid(w h + c), h =
// silu(W p + V e(t) + b), p the mean over patches of the tokens, each brought to mean 0 and
// variance 1.
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
  Scalar,    ///< W [1, D], V [1, D]: one number per token
  Pooled     ///< W [H, D], V [H, D], w [1, H]: one number per row, H = kPooledWidth
};
constexpr std::int64_t kPooledWidth = 64;

UncertaintyForm parse_uncertainty_form(std::string_view name,
                                       const std::string& where);  ///< throws ModelError
std::string_view to_string(UncertaintyForm form);
/// Whether the form has a number per value of the image.
constexpr bool is_map(UncertaintyForm form) {
  return form == UncertaintyForm::Map || form == UncertaintyForm::TimedMap;
}

struct UncertaintyModule {
  at::Tensor weight;  ///< W: [P, D], P = p p C in value order (p1, p2, C), 1 for the scalar, H for
                      ///< the pooled form
  at::Tensor bias;    ///< b: [P]
  at::Tensor time_weight;  ///< V: [P, D] or undefined
  Linear out;              ///< w [1, H] and c [1] of the pooled form, else undefined
  void visit(const std::string& prefix, const ParameterVisitor& visitor);
};

/// P = `patch_values` for the map forms; undefined tensors for None.
UncertaintyModule make_uncertainty(UncertaintyForm form, std::int64_t width,
                                   std::int64_t patch_values);

/// Numbers in a module's tensors.
double uncertainty_parameters(UncertaintyForm form, std::int64_t width, std::int64_t patch_values);
/// Multiply-accumulates of one row with so many patches; a sum over the patches counts as a product
/// per number.
double uncertainty_cost(UncertaintyForm form, std::int64_t patches, std::int64_t width,
                        std::int64_t patch_values);

/// u of tokens [B, T, D] before any mean: [B, T, P], or [B, 1, 1] from the pooled form. Gradients
/// reach the module only: tokens and embedding are detached.
at::Tensor uncertainty_values(const UncertaintyModule& module, const at::Tensor& tokens,
                              const at::Tensor& time_embedding);

/// The modules of all blocks in the order in which scoring reads them; made anew whenever a weight
/// changes. All of one form, not None.
struct PackedUncertainty {
  explicit PackedUncertainty(const std::vector<UncertaintyModule>& modules);

  std::int64_t values = 0;  ///< P
  std::vector<at::Tensor>
      weight;  ///< [blocks] of W, laid out for the fused kernel; of the pooled form as it is
  std::vector<Linear> out;  ///< [blocks] of the pooled form, else empty
  Linear token_free;  ///< V of all blocks [blocks x P, D], undefined without V, and b [blocks x P]
};

/// The part of all blocks that does not depend on the tokens, in one product: [B, blocks x P]; [1,
/// blocks x P] without V.
at::Tensor token_free_parts(const PackedUncertainty& packed, const at::Tensor& time_embedding);

/// One number per row into out [B] float32, by the fused kernel; the map is not written, and there
/// are no gradients. tokens [B, T, D] float32, last dimension dense; `parts` from token_free_parts.
void score_tokens(const PackedUncertainty& packed, std::int64_t block, const at::Tensor& tokens,
                  const at::Tensor& parts, const at::Tensor& out);

}  // namespace adadiff::detail
