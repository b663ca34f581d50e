// Evaluates a UEM: with gradients by ATen, without them by the fused kernel.
#include "nn/uncertainty.h"

#include <ATen/ATen.h>

#include "core/check.h"
#include "core/kernel_status.h"
#include "device/parallel.h"
#include "kernels/exit_score.h"

namespace adadiff::detail {
namespace {

/// W [P, D] in the kernel's own layout.
at::Tensor pack_weight(const at::Tensor& weight) {
  auto packed = at::empty({kernels::packed_exit_weight_size(weight.size(0), weight.size(1))},
                          weight.options());
  require_ok(kernels::pack_exit_weight(weight.const_data_ptr<float>(), weight.size(0),
                                       weight.size(1), packed.data_ptr<float>()),
             "pack_exit_weight");
  return packed;
}

/// The mean of the normalised tokens: [B, T, D] -> [B, D].
at::Tensor pool(const at::Tensor& tokens) {
  return at::layer_norm(tokens, {tokens.size(2)}).mean(1);
}

/// u of the pooled form from the hidden layer before its activation, [B, H] -> [B, 1].
at::Tensor pooled_uncertainty(const Linear& out, at::Tensor hidden) {
  return apply(out, at::silu_(hidden)).sigmoid_();
}

/// V e(t) + b, [B, P]; [1, P] without V.
at::Tensor token_free_part(const UncertaintyModule& module, const at::Tensor& time_embedding) {
  if (!module.time_weight.defined()) return module.bias.unsqueeze(0);
  return at::linear(time_embedding, module.time_weight, module.bias);
}

/// The part of `parts` that belongs to a block: [B or 1, P].
at::Tensor part_of(const PackedUncertainty& packed, std::int64_t block, const at::Tensor& parts) {
  return parts.narrow(1, packed.offsets[static_cast<std::size_t>(block)], packed.values(block));
}

/// By plain operators, on any device.
void score_with_torch(const PackedUncertainty& packed, std::int64_t block, const at::Tensor& tokens,
                      const at::Tensor& parts, const at::Tensor& out) {
  const auto& weight = packed.weight[static_cast<std::size_t>(block)];
  const auto per_row = part_of(packed, block, parts).unsqueeze(1);
  out.copy_(at::linear(tokens, weight).add_(per_row).sigmoid_().flatten(1).mean(1));
}

void score_pooled(const PackedUncertainty& packed, std::int64_t block, const at::Tensor& tokens,
                  const at::Tensor& parts, const at::Tensor& out) {
  const auto& weight = packed.weight[static_cast<std::size_t>(block)];
  const auto hidden = at::addmm(part_of(packed, block, parts), pool(tokens), weight.t());  // [B, H]
  out.copy_(pooled_uncertainty(packed.out[static_cast<std::size_t>(block)], hidden).squeeze(1));
}

}  // namespace

UncertaintyForm parse_uncertainty_form(std::string_view name, const std::string& where) {
  return require_named<ModelError>(kUncertaintyForms, name, where).value;
}

std::string to_string(UncertaintyForm form) { return name_of(kUncertaintyForms, form); }

void UncertaintyModule::visit(const std::string& prefix, const ParameterVisitor& visitor) {
  if (!weight.defined()) return;
  visitor(prefix + ".weight", weight);
  visitor(prefix + ".bias", bias);
  if (time_weight.defined()) visitor(prefix + ".time_weight", time_weight);
  if (out.weight.defined()) out.visit(prefix + ".out", visitor);
}

namespace {

/// P, rows of W.
std::int64_t rows_of(UncertaintyForm form, std::int64_t patch_values) {
  switch (form) {
    case UncertaintyForm::Map:
    case UncertaintyForm::TimedMap:
      return patch_values;
    case UncertaintyForm::Scalar:
      return 1;
    case UncertaintyForm::Pooled:
      return kPooledWidth;
    case UncertaintyForm::None:
      break;
  }
  return 0;
}

}  // namespace

UncertaintyModule make_uncertainty(UncertaintyForm form, const UncertaintySizes& sizes) {
  if (form == UncertaintyForm::None) return {};
  const std::int64_t values = rows_of(form, sizes.patch_values);
  UncertaintyModule module{at::zeros({values, sizes.width}), at::zeros({values}), {}, {}};
  if (form != UncertaintyForm::Map) module.time_weight = at::zeros({values, sizes.time_width});
  if (form == UncertaintyForm::Pooled) module.out = make_linear(kPooledWidth, 1);
  return module;
}

double uncertainty_parameters(UncertaintyForm form, const UncertaintySizes& sizes) {
  const auto rows = static_cast<double>(rows_of(form, sizes.patch_values));
  const auto columns = static_cast<double>(sizes.width);
  const double timed = form == UncertaintyForm::Map ? 0
                                                    : rows * static_cast<double>(sizes.time_width);
  const double out = form == UncertaintyForm::Pooled ? rows + 1 : 0;
  return rows * (columns + 1) + timed + out;
}

double uncertainty_cost(UncertaintyForm form, const UncertaintySizes& sizes) {
  const auto count = static_cast<double>(sizes.tokens), columns = static_cast<double>(sizes.width);
  const auto rows = static_cast<double>(rows_of(form, sizes.patch_values));
  const auto timed = form == UncertaintyForm::Map ? 0 : static_cast<double>(sizes.time_width);
  if (form == UncertaintyForm::Pooled) return count * columns + rows * (columns + timed + 1);
  return (count * columns + timed) * rows;
}

at::Tensor uncertainty_values(const UncertaintyModule& module, const at::Tensor& tokens,
                              const at::Tensor& time_embedding) {
  const auto per_row = token_free_part(module, time_embedding.detach());  // [B or 1, P]
  if (module.out.weight.defined()) {
    const auto hidden = at::linear(pool(tokens.detach()), module.weight).add_(per_row);  // [B, H]
    return pooled_uncertainty(module.out, hidden).unsqueeze(2);
  }
  return at::linear(tokens.detach(), module.weight)
      .add_(per_row.unsqueeze(1))
      .sigmoid_();  // [B, T, P]
}

PackedUncertainty::PackedUncertainty(const std::vector<UncertaintyModule>& modules, bool for_kernel)
    : is_for_kernel(for_kernel), offsets{0} {
  std::vector<at::Tensor> time_weights, biases;
  for (const UncertaintyModule& module : modules) {
    offsets.push_back(offsets.back() + module.weight.size(0));
    const auto is_pooled = module.out.weight.defined();
    const bool stays = is_pooled || !for_kernel;
    weight.push_back(stays ? module.weight : pack_weight(module.weight.contiguous()));
    if (is_pooled) out.push_back(module.out);
    biases.push_back(module.bias);
    if (module.time_weight.defined()) time_weights.push_back(module.time_weight);
  }
  token_free.bias = at::cat(biases);
  if (!time_weights.empty()) token_free.weight = at::cat(time_weights);
}

at::Tensor token_free_parts(const PackedUncertainty& packed, const at::Tensor& time_embedding) {
  return packed.token_free.weight.defined() ? apply(packed.token_free, time_embedding)
                                            : packed.token_free.bias.unsqueeze(0);
}

void score_tokens(const PackedUncertainty& packed, std::int64_t block, const at::Tensor& tokens,
                  const at::Tensor& parts, const at::Tensor& out) {
  if (!packed.out.empty()) return score_pooled(packed, block, tokens, parts, out);
  if (!packed.is_for_kernel) return score_with_torch(packed, block, tokens, parts, out);
  const auto* bias = parts.const_data_ptr<float>() +
                     packed.offsets[static_cast<std::size_t>(block)];
  const auto bias_stride = parts.size(0) == 1 ? 0 : parts.stride(0);
  parallel_rows(tokens.size(0), [&](std::int64_t first, std::int64_t last) {
    const kernels::ExitScore score{
        .tokens = tokens.const_data_ptr<float>() + first * tokens.stride(0),
        .rows = last - first,
        .tokens_per_row = tokens.size(1),
        .width = tokens.size(2),
        .row_stride = tokens.stride(0),
        .token_stride = tokens.stride(1),
        .values = packed.values(block),
        .weight = packed.weight[static_cast<std::size_t>(block)].const_data_ptr<float>(),
        .bias = bias + first * bias_stride,
        .bias_stride = bias_stride,
        .out = out.data_ptr<float>() + first};
    require_ok(kernels::exit_score(score), "exit_score");
  });
}

}  // namespace adadiff::detail
