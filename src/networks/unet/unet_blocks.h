// The sequence of blocks that a UNet's sizes give: which layers each holds, and their shapes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "networks/unet/unet_config.h"

namespace adadiff::detail {

enum class UNetLayerKind { Residual, Attention, Downsampling, Upsampling };
enum class UNetChange { None, Halve, Double };  ///< of height and width

struct UNetLayerShape {
  UNetLayerKind kind = UNetLayerKind::Residual;
  std::string name;  ///< "input_blocks.3.0", as in the official code
  std::int64_t in = 0, out = 0;
  std::int64_t factor = 1;               ///< the image's side over that of the layer's output
  UNetChange change = UNetChange::None;  ///< inside a residual layer
  bool is_middle = false;                ///< its output is divided by UNetConfig::middle_scale
};

/// What lies between two possible exits.
struct UNetBlockShape {
  std::vector<UNetLayerShape> layers;
  bool takes_skip = false;  ///< its input is joined with what the mirrored block pushed
  bool pushes_skip = false;
  std::int64_t channels = 0;  ///< of its output
  std::int64_t factor = 1;    ///< the image's side over that of its output
};

/// The blocks after the first convolution: the path down, the middle, the path up.
std::vector<UNetBlockShape> block_shapes(const UNetConfig& config);

/// The heads of an attention over that many channels.
std::int64_t attention_heads(const UNetConfig& config, std::int64_t channels);

/// What the UEM after a block reads: its token is a cell of the feature map.
UncertaintySizes uncertainty_sizes(const UNetConfig& config, const UNetBlockShape& block);

}  // namespace adadiff::detail
