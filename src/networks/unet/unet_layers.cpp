// Makes, names and applies the layers of a UNet's blocks.
#include "networks/unet/unet_layers.h"

#include <ATen/ATen.h>

namespace adadiff::detail {
namespace {

/// In place where no gradient is wanted.
at::Tensor activate(at::Tensor x) { return x.requires_grad() ? at::silu(x) : at::silu_(x); }

/// Makes the sides half as long by the mean of 2x2 cells, or twice by repeating cells.
at::Tensor change_resolution(UNetChange change, const at::Tensor& x) {
  if (change == UNetChange::Halve) return at::avg_pool2d(x, 2, 2);
  if (change == UNetChange::Double)
    return at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
  return x;
}

at::Tensor divided(const at::Tensor& x, double by) { return by == 1 ? x : x / by; }

at::Tensor run(const UNetResidual& layer, const at::Tensor& x, const at::Tensor& embedding) {
  at::Tensor h = change_resolution(layer.change, activate(apply(layer.in_norm, x)));
  h = apply(layer.in_conv, h);
  const at::Tensor e = apply(layer.embedding, embedding)
                           .to(h.scalar_type())
                           .unsqueeze(2)
                           .unsqueeze(3);  // [R, out or 2 out, 1, 1]
  if (layer.scale_shift) {
    const auto parts = e.chunk(2, 1);
    h = at::addcmul(parts[1], apply(layer.out_norm, h), parts[0] + 1);
  } else {
    h = apply(layer.out_norm, h + e);
  }
  h = apply(layer.out_conv, activate(h));
  const at::Tensor same = change_resolution(layer.change, x);
  h = h + (layer.skip.weight.defined() ? apply(layer.skip, same) : same);
  return divided(h, layer.output_scale);
}

at::Tensor run(const UNetAttention& layer, const at::Tensor& x) {
  const at::Tensor cells = apply(layer.norm, x).flatten(2).transpose(1, 2);  // [R, H W, C]
  const at::Tensor mixed = apply(layer.proj, attention(layer.qkv, cells, layer.heads, layer.order));
  return divided(x + mixed.transpose(1, 2).reshape(x.sizes()), layer.output_scale);
}

at::Tensor run(const UNetResamplingLayer& layer, const at::Tensor& x) {
  const auto& [weight, bias] = layer.conv;
  if (!weight.defined()) return change_resolution(layer.change, x);
  if (layer.change == UNetChange::Double)
    return apply(layer.conv, change_resolution(layer.change, x));
  const at::Tensor& padded = layer.pads_one_side ? at::constant_pad_nd(x, {0, 1, 0, 1}) : x;
  return at::conv2d(padded, weight.to(x.scalar_type()), bias.to(x.scalar_type()), /*stride=*/2,
                    /*padding=*/layer.pads_one_side ? 0 : 1);
}

UNetResidual make_residual(const UNetConfig& c, const UNetLayerShape& shape) {
  UNetResidual layer;
  layer.in_norm = make_group_norm(shape.in, c.norm_groups, c.norm_eps);
  layer.in_conv = make_conv(shape.in, shape.out, 3);
  layer.embedding = make_linear(c.time_width(), c.scale_shift ? 2 * shape.out : shape.out);
  layer.out_norm = make_group_norm(shape.out, c.norm_groups, c.norm_eps);
  layer.out_conv = make_conv(shape.out, shape.out, 3);
  if (shape.in != shape.out) layer.skip = make_conv(shape.in, shape.out, 1);
  layer.change = shape.change;
  layer.scale_shift = c.scale_shift;
  if (shape.is_middle) layer.output_scale = c.middle_scale;
  return layer;
}

UNetAttention make_attention(const UNetConfig& c, const UNetLayerShape& shape) {
  UNetAttention layer;
  layer.norm = make_group_norm(shape.in, c.norm_groups, c.norm_eps);
  layer.qkv = make_linear(shape.in, 3 * shape.in);
  layer.proj = make_linear(shape.in, shape.in);
  layer.heads = attention_heads(c, shape.in);
  layer.order = c.heads_outermost ? QkvOrder::ByHead : QkvOrder::ByPart;
  if (shape.is_middle) layer.output_scale = c.middle_scale;
  return layer;
}

UNetResamplingLayer make_resampling(const UNetConfig& c, const UNetLayerShape& shape) {
  UNetResamplingLayer layer;
  layer.change = shape.kind == UNetLayerKind::Downsampling ? UNetChange::Halve : UNetChange::Double;
  layer.pads_one_side = c.pads_one_side;
  if (c.resampling == UNetResampling::Convolution) layer.conv = make_conv(shape.in, shape.out, 3);
  return layer;
}

void visit(UNetResidual& layer, const std::string& name, const ParameterVisitor& visitor) {
  layer.in_norm.visit(name + ".in_layers.0", visitor);
  layer.in_conv.visit(name + ".in_layers.2", visitor);
  layer.embedding.visit(name + ".emb_layers.1", visitor);
  layer.out_norm.visit(name + ".out_layers.0", visitor);
  layer.out_conv.visit(name + ".out_layers.3", visitor);
  if (layer.skip.weight.defined()) layer.skip.visit(name + ".skip_connection", visitor);
}

void visit(UNetAttention& layer, const std::string& name, const ParameterVisitor& visitor) {
  layer.norm.visit(name + ".norm", visitor);
  layer.qkv.visit(name + ".qkv", visitor);
  layer.proj.visit(name + ".proj_out", visitor);
}

void visit(UNetResamplingLayer& layer, const std::string& name, const ParameterVisitor& visitor) {
  if (!layer.conv.weight.defined()) return;
  layer.conv.visit(name + (layer.change == UNetChange::Halve ? ".op" : ".conv"), visitor);
}

}  // namespace

UNetLayer make_layer(const UNetConfig& config, const UNetLayerShape& shape) {
  if (shape.kind == UNetLayerKind::Residual) return make_residual(config, shape);
  if (shape.kind == UNetLayerKind::Attention) return make_attention(config, shape);
  return make_resampling(config, shape);
}

void visit_layer(UNetLayer& layer, const std::string& name, const ParameterVisitor& visitor) {
  std::visit([&](auto& own) { visit(own, name, visitor); }, layer);
}

at::Tensor apply(const UNetLayer& layer, const at::Tensor& x, const at::Tensor& embedding) {
  if (const auto* residual = std::get_if<UNetResidual>(&layer)) return run(*residual, x, embedding);
  if (const auto* attention = std::get_if<UNetAttention>(&layer)) return run(*attention, x);
  return run(std::get<UNetResamplingLayer>(layer), x);
}

double parameter_count(const UNetConfig& c, const UNetLayerShape& shape) {
  const auto in = static_cast<double>(shape.in), out = static_cast<double>(shape.out);
  const double embedded = c.scale_shift ? 2 * out : out;
  switch (shape.kind) {
    case UNetLayerKind::Residual:
      return 2 * in + 2 * out + 9 * out * (in + out) + 2 * out +
             embedded * (static_cast<double>(c.time_width()) + 1) +
             (shape.in == shape.out ? 0 : out * (in + 1));
    case UNetLayerKind::Attention:
      return 2 * in + 4 * in * in + 4 * in;
    case UNetLayerKind::Downsampling:
    case UNetLayerKind::Upsampling:
      break;
  }
  return c.resampling == UNetResampling::Convolution ? 9 * in * out + out : 0;
}

double cost_of(const UNetConfig& c, const UNetLayerShape& shape) {
  const auto in = static_cast<double>(shape.in), out = static_cast<double>(shape.out);
  const double cells = static_cast<double>(c.image_height / shape.factor) *
                       static_cast<double>(c.image_width / shape.factor);
  switch (shape.kind) {
    case UNetLayerKind::Residual:
      return cells * (9 * out * (in + out) + (shape.in == shape.out ? 0 : in * out)) +
             static_cast<double>(c.time_width()) * (c.scale_shift ? 2 * out : out);
    case UNetLayerKind::Attention:
      return cells * 4 * in * in + 2 * cells * cells * in;
    case UNetLayerKind::Downsampling:
    case UNetLayerKind::Upsampling:
      break;
  }
  return c.resampling == UNetResampling::Convolution ? cells * 9 * in * out : 0;
}

}  // namespace adadiff::detail
