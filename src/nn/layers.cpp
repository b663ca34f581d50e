// Applies the layers of layers.h by ATen.
#include "nn/layers.h"

#include <ATen/ATen.h>

#include <cmath>

namespace adadiff::detail {
namespace {

/// Weights take part in a product in the type of what they are applied to; the same tensor where it
/// has that type already.
at::Tensor in_type_of(const at::Tensor& x, const at::Tensor& weight) {
  return weight.defined() ? weight.to(x.scalar_type()) : weight;
}

/// Whether attention with gradients is cheaper as two products and a softmax than fused: the fused
/// kernel's gradient on a CPU is slow on short rows, and on all in bfloat16 (docs/decisions/0005).
bool pays_to_unfuse(const at::Tensor& query) {
  constexpr std::int64_t kShort = 96;
  return query.requires_grad() && query.is_cpu() &&
         (query.scalar_type() == at::kBFloat16 || query.size(2) <= kShort);
}

/// Attention of q, k, v [B, H, L, D/H].
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  if (!pays_to_unfuse(q)) return at::scaled_dot_product_attention(q, k, v);
  const double scale = 1 / std::sqrt(static_cast<double>(q.size(3)));
  return at::matmul(at::softmax(at::matmul(q * scale, k.transpose(2, 3)), -1), v);
}

}  // namespace

void Linear::visit(const std::string& prefix, const ParameterVisitor& visitor) {
  visitor(prefix + ".weight", weight);
  if (bias.defined()) visitor(prefix + ".bias", bias);
}

void LayerNorm::visit(const std::string& prefix, const ParameterVisitor& visitor) {
  visitor(prefix + ".weight", weight);
  visitor(prefix + ".bias", bias);
}

void GroupNorm::visit(const std::string& prefix, const ParameterVisitor& visitor) {
  visitor(prefix + ".weight", weight);
  visitor(prefix + ".bias", bias);
}

void Conv2d::visit(const std::string& prefix, const ParameterVisitor& visitor) {
  visitor(prefix + ".weight", weight);
  visitor(prefix + ".bias", bias);
}

Linear make_linear(std::int64_t in, std::int64_t out, bool bias) {
  return {at::zeros({out, in}), bias ? at::zeros({out}) : at::Tensor()};
}

LayerNorm make_layer_norm(std::int64_t width) { return {at::ones({width}), at::zeros({width})}; }

GroupNorm make_group_norm(std::int64_t channels, std::int64_t groups, double eps) {
  return {at::ones({channels}), at::zeros({channels}), groups, eps};
}

Conv2d make_conv(std::int64_t in, std::int64_t out, std::int64_t kernel) {
  return {at::zeros({out, in, kernel, kernel}), at::zeros({out})};
}

at::Tensor apply(const Linear& layer, const at::Tensor& x) {
  return at::linear(x, in_type_of(x, layer.weight), in_type_of(x, layer.bias));
}

at::Tensor apply(const LayerNorm& layer, const at::Tensor& x) {
  return at::layer_norm(x, layer.weight.sizes(), in_type_of(x, layer.weight),
                        in_type_of(x, layer.bias), layer.eps);
}

at::Tensor apply(const GroupNorm& layer, const at::Tensor& x) {
  return at::group_norm(x, layer.groups, in_type_of(x, layer.weight), in_type_of(x, layer.bias),
                        layer.eps);
}

at::Tensor apply(const Conv2d& layer, const at::Tensor& x) {
  return at::conv2d(x, in_type_of(x, layer.weight), in_type_of(x, layer.bias), /*stride=*/1,
                    /*padding=*/layer.weight.size(2) / 2);
}

at::Tensor apply_to_pair(const Linear& layer, const at::Tensor& left, const at::Tensor& right) {
  const auto width = left.size(-1);
  const auto flat_left = left.reshape({-1, width});    // [B L, D]
  const auto flat_right = right.reshape({-1, width});  // [B L, D]
  const auto weight = in_type_of(left, layer.weight);
  auto y = at::linear(flat_left, weight.narrow(1, 0, width), in_type_of(left, layer.bias));
  y.addmm_(flat_right, weight.narrow(1, width, width).t());
  auto shape = left.sizes().vec();
  shape.back() = layer.weight.size(0);
  return y.view(shape);
}

at::Tensor exact_gelu(at::Tensor x) { return x.requires_grad() ? at::gelu(x) : at::gelu_(x); }

at::Tensor tanh_gelu(at::Tensor x) {
  return x.requires_grad() ? at::gelu(x, "tanh") : at::gelu_(x, "tanh");
}

namespace {

/// Queries, keys and values, each [B, L, H, D/H]. They are cut by chunk(): the three gradients are
/// then joined by one copy, where indexing would fill and add a whole tensor for each.
std::vector<at::Tensor> cut_qkv(const at::Tensor& all, std::int64_t heads, QkvOrder order) {
  const auto rows = all.size(0), tokens = all.size(1), per_head = all.size(2) / (3 * heads);
  return order == QkvOrder::ByPart ? all.view({rows, tokens, 3 * heads, per_head}).chunk(3, 2)
                                   : all.view({rows, tokens, heads, 3 * per_head}).chunk(3, 3);
}

}  // namespace

at::Tensor attention(const Linear& qkv, const at::Tensor& x, std::int64_t heads, QkvOrder order) {
  const auto rows = x.size(0), tokens = x.size(1), width = x.size(2);
  const auto parts = cut_qkv(apply(qkv, x), heads, order);
  const auto mixed = attend(parts[0].transpose(1, 2), parts[1].transpose(1, 2),
                            parts[2].transpose(1, 2));
  return mixed.transpose(1, 2).reshape({rows, tokens, width});
}

at::Tensor modulated_norm(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale,
                          double eps) {
  return at::addcmul(shift, at::layer_norm(x, {x.size(-1)}, {}, {}, eps), scale + 1);
}

at::Tensor sinusoid(const at::Tensor& time, std::int64_t width, std::int64_t shift) {
  const auto half = width / 2;
  const auto index = at::arange(half, time.options().dtype(at::kFloat));
  const auto angle = time.to(at::kFloat).unsqueeze(1) *
                     at::exp(index * -std::log(10000.0) /
                             (half - shift));  // [B, half], in the official order of rounding
  const auto embedding = at::cat({angle.cos(), angle.sin()}, 1).to(time.scalar_type());
  return width % 2 == 0 ? embedding : at::constant_pad_nd(embedding, {0, 1});
}

at::Tensor patchify(const at::Tensor& x, std::int64_t patch) {
  const auto rows = x.size(0), channels = x.size(1), high = x.size(2) / patch,
             wide = x.size(3) / patch;
  return x.view({rows, channels, high, patch, wide, patch})
      .permute({0, 2, 4, 1, 3, 5})
      .reshape({rows, high * wide, channels * patch * patch});
}

at::Tensor unpatchify(const at::Tensor& tokens, std::int64_t channels, std::int64_t patch,
                      std::int64_t height, std::int64_t width) {
  const auto rows = tokens.size(0);
  return tokens.view({rows, height / patch, width / patch, patch, patch, channels})
      .permute({0, 5, 1, 3, 2, 4})
      .reshape({rows, channels, height, width});
}

at::Tensor unpatchify(const at::Tensor& tokens, std::int64_t channels, std::int64_t patch,
                      std::int64_t size) {
  return unpatchify(tokens, channels, patch, size, size);
}

}  // namespace adadiff::detail
