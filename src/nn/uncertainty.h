// The uncertainty estimation module (UEM) of one exit. The forms per token compute u = mean over
// patches and patch values of sigmoid(W token + V e(t) + b). The pooled form computes
// u = sigmoid(w h + c) with h = silu(W p + V e(t) + b), where p is the mean over patches of the
// tokens, each of them brought to mean 0 and variance 1 first.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/names.h"
#include "nn/layers.h"

namespace adadiff::detail {

enum class UncertaintyForm {
  None,
  Map,       ///< W [P, D], no time: the official AdaDiff release
  TimedMap,  ///< W [P, D], V [P, E]: the paper
  Scalar,    ///< W [1, D], V [1, E]: one number per token
  Pooled     ///< W [H, D], V [H, E], w [1, H]: one number per row, H = kPooledWidth
};
constexpr std::int64_t kPooledWidth = 64;

inline constexpr Named<UncertaintyForm> kUncertaintyForms[] = {
    {UncertaintyForm::None, "none"},
    {UncertaintyForm::Map, "map"},
    {UncertaintyForm::TimedMap, "timed-map"},
    {UncertaintyForm::Scalar, "scalar"},
    {UncertaintyForm::Pooled, "pooled"}};
UncertaintyForm parse_uncertainty_form(std::string_view name,
                                       const std::string& where);  ///< throws ModelError
std::string to_string(UncertaintyForm form);
/// Whether the form gives one number per value of the image.
constexpr bool is_map(UncertaintyForm form) {
  return form == UncertaintyForm::Map || form == UncertaintyForm::TimedMap;
}

struct UncertaintyModule {
  at::Tensor weight;       ///< W: [P, D] with P = p p C in value order (p1, p2, C); P is 1 for the
                           ///< scalar form and H for the pooled form
  at::Tensor bias;         ///< b: [P]
  at::Tensor time_weight;  ///< V: [P, E] or undefined; E is the width of the time embedding
  Linear out;              ///< w [1, H] and c [1] of the pooled form, else undefined
  void visit(const std::string& prefix, const ParameterVisitor& visitor);
};

/// What the modules of the tokens of one place in a network are made for.
struct UncertaintySizes {
  std::int64_t tokens = 0;        ///< T, of one row
  std::int64_t width = 0;         ///< D, of a token
  std::int64_t time_width = 0;    ///< E
  std::int64_t patch_values = 0;  ///< P of the map forms
};

/// Makes a module of that form, with undefined tensors for None.
UncertaintyModule make_uncertainty(UncertaintyForm form, const UncertaintySizes& sizes);

/// The number of values in a module's tensors.
double uncertainty_parameters(UncertaintyForm form, const UncertaintySizes& sizes);
/// The multiply-accumulates of one row; a sum over its tokens counts as one product per number.
double uncertainty_cost(UncertaintyForm form, const UncertaintySizes& sizes);

/// u of the tokens [B, T, D] before any mean is taken: [B, T, P], or [B, 1, 1] from the pooled
/// form. Gradients reach only the module; tokens and embedding are detached.
at::Tensor uncertainty_values(const UncertaintyModule& module, const at::Tensor& tokens,
                              const at::Tensor& time_embedding);

/// The modules of all blocks, in the order in which scoring reads them. They have to be packed anew
/// whenever a weight changes. All modules have the same form, which is not None.
struct PackedUncertainty {
  /// `for_kernel`: laid out for the fused kernel, which runs on a CPU; else scored by ATen.
  PackedUncertainty(const std::vector<UncertaintyModule>& modules, bool for_kernel);

  bool is_for_kernel = true;

  std::vector<std::int64_t> offsets;  ///< [blocks + 1]: block k's P numbers begin at entry k
  /// [blocks] of W, laid out for the fused kernel where it runs; in the pooled form as it is.
  std::vector<at::Tensor> weight;
  std::vector<Linear> out;  ///< [blocks] of the pooled form, else empty
  Linear token_free;  ///< V of all blocks [sum of P, E], undefined without V, and b [sum of P]

  std::int64_t values(std::int64_t block) const {
    const auto k = static_cast<std::size_t>(block);
    return offsets[k + 1] - offsets[k];
  }
};

/// For all blocks, the part of the score that does not depend on the tokens, in one product:
/// [B, sum of P], or [1, sum of P] without V.
at::Tensor token_free_parts(const PackedUncertainty& packed, const at::Tensor& time_embedding);

/// Writes one number per row into out [B] float32 with the fused kernel. The map is not written,
/// and there are no gradients. `tokens` is [B, T, D] float32 with a dense last dimension; `parts`
/// comes from token_free_parts.
void score_tokens(const PackedUncertainty& packed, std::int64_t block, const at::Tensor& tokens,
                  const at::Tensor& parts, const at::Tensor& out);

}  // namespace adadiff::detail
