// Evaluates a UEM: with gradients by ATen, without them by the fused kernel.
#include "nn/uncertainty.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "core/check.h"
#include "kernels/exit_score.h"

namespace adadiff::detail {

UncertaintyForm parse_uncertainty_form(std::string_view name, const std::string& where) {
  for (const auto form : {UncertaintyForm::None, UncertaintyForm::Map, UncertaintyForm::TimedMap, UncertaintyForm::Scalar}) {
    if (to_string(form) == name) return form;
  }
  raise<ModelError>({where, "be one of none, map, timed-map, scalar", "is " + show(std::string(name))});
}

std::string_view to_string(UncertaintyForm form) {
  switch (form) {
    case UncertaintyForm::Map:
      return "map";
    case UncertaintyForm::TimedMap:
      return "timed-map";
    case UncertaintyForm::Scalar:
      return "scalar";
    case UncertaintyForm::None:
      break;
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
  const auto per_row = token_free_part(module, time_embedding.detach());                    // [B or 1, P]
  return at::linear(tokens.detach(), module.weight).add_(per_row.unsqueeze(1)).sigmoid_();  // [B, T, P]
}

at::Tensor pack_weight(const UncertaintyModule& module) {
  const auto weight = module.weight.contiguous();
  auto packed = at::empty({kernels::packed_exit_weight_size(weight.size(0), weight.size(1))}, weight.options());
  kernels::pack_exit_weight(weight.data_ptr<float>(), weight.size(0), weight.size(1), packed.data_ptr<float>());
  return packed;
}

void score_tokens(const UncertaintyModule& module, const at::Tensor& packed, const at::Tensor& tokens, const at::Tensor& time_embedding,
                  at::Tensor& out) {
  const auto bias = token_free_part(module, time_embedding);  // [B or 1, P]
  const auto bias_stride = bias.size(0) == 1 ? 0 : bias.stride(0);
  constexpr std::int64_t kRowsPerTask = 1;
  at::parallel_for(0, tokens.size(0), kRowsPerTask, [&](std::int64_t first, std::int64_t last) {
    kernels::exit_score({.tokens = tokens.data_ptr<float>() + first * tokens.stride(0),
                         .rows = last - first,
                         .tokens_per_row = tokens.size(1),
                         .width = tokens.size(2),
                         .row_stride = tokens.stride(0),
                         .token_stride = tokens.stride(1),
                         .values = module.weight.size(0),
                         .weight = packed.data_ptr<float>(),
                         .bias = bias.data_ptr<float>() + first * bias_stride,
                         .bias_stride = bias_stride,
                         .out = out.data_ptr<float>() + first});
  });
}

}  // namespace adadiff::detail
