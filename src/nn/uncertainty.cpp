// Evaluates a UEM: with gradients by ATen, without them by the fused kernel.
#include "nn/uncertainty.h"

#include <ATen/ATen.h>

#include "core/check.h"

namespace adadiff::detail {

UncertaintyForm parse_uncertainty_form(std::string_view name, const std::string& where) {
  for (const auto form : {UncertaintyForm::None, UncertaintyForm::Map, UncertaintyForm::TimedMap, UncertaintyForm::Scalar}) {
    if (to_string(form) == name) return form;
  }
  raise<ModelError>({where, "be one of none, map, timed-map, scalar", "is " + show(std::string(name))});
}

std::string_view to_string(UncertaintyForm form) {
  switch (form) {
    case UncertaintyForm::Map: return "map";
    case UncertaintyForm::TimedMap: return "timed-map";
    case UncertaintyForm::Scalar: return "scalar";
    case UncertaintyForm::None: break;
  }
  return "none";
}

void UncertaintyModule::visit(const std::string& prefix, const ParameterVisitor& visitor) {
  if (!weight.defined()) return;
  visitor(prefix + ".weight", weight);
  visitor(prefix + ".bias", bias);
  if (time_weight.defined()) visitor(prefix + ".time_weight", time_weight);
}

UncertaintyModule make_uncertainty(UncertaintyForm form, std::int64_t width, std::int64_t patch_values) {
  if (form == UncertaintyForm::None) return {};
  const auto values = form == UncertaintyForm::Scalar ? 1 : patch_values;
  return {at::zeros({values, width}), at::zeros({values}), form == UncertaintyForm::Map ? at::Tensor() : at::zeros({values, width})};
}

at::Tensor token_free_part(const UncertaintyModule& module, const at::Tensor& time_embedding) {
  if (!module.time_weight.defined()) return module.bias.unsqueeze(0);
  return at::linear(time_embedding, module.time_weight, module.bias);
}

at::Tensor uncertainty_per_token(const UncertaintyModule& module, const at::Tensor& tokens, const at::Tensor& time_embedding) {
  const auto per_row = token_free_part(module, time_embedding.detach());                                 // [B or 1, P]
  return at::linear(tokens.detach(), module.weight).add_(per_row.unsqueeze(1)).sigmoid_();               // [B, T, P]
}

void score_tokens(const UncertaintyModule& module, const at::Tensor& tokens, const at::Tensor& time_embedding, at::Tensor& out) {
  at::mean_out(out, uncertainty_per_token(module, tokens, time_embedding).flatten(1), {1});
}

}  // namespace adadiff::detail
