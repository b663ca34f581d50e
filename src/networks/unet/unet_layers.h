// The layers of a UNet's blocks as plain structs of tensors, and the functions that apply them.
// Tensors have the names of the official ADM code.
#pragma once

#include <variant>

#include "networks/unet/unet_blocks.h"
#include "nn/layers.h"

namespace adadiff::detail {

/// Norm, SiLU, convolution; the embedding; norm, SiLU, convolution; beside them the input, through
/// a convolution of 1x1 where the channels change.
struct UNetResidual {
  GroupNorm in_norm, out_norm;
  Conv2d in_conv, out_conv;
  Linear embedding;  ///< [out, E], or [2 out, E]: scale and shift
  Conv2d skip;       ///< undefined weight where the channels stay
  UNetChange change = UNetChange::None;
  bool scale_shift = false;
  double output_scale = 1;  ///< the output is divided by it
};

struct UNetAttention {
  GroupNorm norm;
  Linear qkv, proj;
  std::int64_t heads = 1;
  QkvOrder order = QkvOrder::ByPart;
  double output_scale = 1;
};

/// A change of resolution between residual layers.
struct UNetResamplingLayer {
  Conv2d conv;  ///< undefined weight: without a convolution
  UNetChange change = UNetChange::Halve;
  bool pads_one_side = false;
};

using UNetLayer = std::variant<UNetResidual, UNetAttention, UNetResamplingLayer>;

/// A layer of that shape; its numbers come from a file or from initialise().
UNetLayer make_layer(const UNetConfig& config, const UNetLayerShape& shape);
void visit_layer(UNetLayer& layer, const std::string& name, const ParameterVisitor& visitor);

/// [R, in, H, W] -> [R, out, H', W']. `embedding` is silu of the sum of all embeddings, [R, E].
at::Tensor apply(const UNetLayer& layer, const at::Tensor& x, const at::Tensor& embedding);

/// The number of values in the tensors of a layer of that shape; a double, as hostile sizes
/// overflow integers.
double parameter_count(const UNetConfig& config, const UNetLayerShape& shape);
/// The multiply-accumulates of one row.
double cost_of(const UNetConfig& config, const UNetLayerShape& shape);

}  // namespace adadiff::detail
