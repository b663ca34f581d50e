// UNets with an exit after every block: one definition for sampling and training. A block is what
// the official ADM code (Dhariwal & Nichol 2021) calls an input, middle or output block; the UNets
// of Ho et al. 2020 and of diffusers have the same blocks. Tensors have ADM's names.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include <adadiff/trainable_network.h>

#include "networks/exit_scores.h"
#include "networks/prepared.h"
#include "networks/unet/unet_blocks.h"
#include "networks/unet/unet_config.h"
#include "networks/unet/unet_layers.h"
#include "nn/layers.h"
#include "nn/uncertainty.h"

namespace adadiff::detail {

using UNetBlock = std::vector<UNetLayer>;

/// What turns features into a prediction. Where they are smaller than the image by a factor f, each
/// cell first becomes f x f pixels, and the convolution also sees what the first convolution of the
/// network made of the image, so that details are not lost.
struct UNetHead {
  GroupNorm norm;
  Linear expand;  ///< [f f C', channels]; undefined where f is 1
  Conv2d conv;    ///< [C', channels, 3, 3], or [C', C' + width, 3, 3] behind `expand`
};

struct UNetParameters {
  Linear time_in, time_out;      ///< the MLP on the sinusoid of the time
  at::Tensor label_emb;          ///< [label_rows, E] or undefined
  Linear pooled_in, pooled_out;  ///< the MLP on the condition's vector; undefined without one
  Conv2d stem;                   ///< the convolution before the first block
  std::vector<UNetBlock> blocks;
  std::vector<UNetHead> exit_heads;            ///< [blocks - 1] with heads per exit, else empty
  UNetHead head;                               ///< the head after the last block
  std::vector<UncertaintyModule> uncertainty;  ///< [blocks]
};

/// What the passes of one precision share.
struct PreparedUNet {
  std::vector<UNetBlock> blocks;  ///< in the type of the precision
  std::shared_ptr<const PackedUncertainty> uncertainty;
};

/// The tensors of one evaluation before the first block.
struct UNetFeatures {
  at::Tensor stem;            ///< [R, width, H, W]
  at::Tensor embedding;       ///< [R, E]: silu(time + conditions)
  at::Tensor time_embedding;  ///< [R, E]: the embedding of time alone
};

class UNet final : public TrainableNetwork {
 public:
  /// The weights are zero until they are read or initialised.
  UNet(const UNetConfig& config, NetworkSettings settings);

  const NetworkInfo& info() const override { return info_; }
  std::unique_ptr<ForwardPass> new_pass(const PassOptions& options) const override;
  std::vector<BlockOutput> outputs(const PassInputs& inputs,
                                   at::ScalarType block_type) const override;
  void visit(const TensorVisitor& visitor) override;
  void initialise(std::uint64_t seed) override;
  void move_to(const Device& device) override;
  ParameterRole role(const std::string& name) const override;
  std::string config_json() const override { return to_json(config_); }

  const UNetConfig& config() const { return config_; }
  const std::vector<UNetBlockShape>& shapes() const { return shapes_; }
  const std::vector<UncertaintyModule>& uncertainty() const { return parameters_.uncertainty; }

  // The pieces of a forward pass, in order.
  UNetFeatures embed(const PassInputs& inputs) const;
  /// [R, c, h, w] -> [R, c', h', w']. `skip` is what the mirrored block pushed; undefined for
  /// blocks that take none.
  at::Tensor run_block(const UNetBlock& block, const at::Tensor& features, const at::Tensor& skip,
                       const at::Tensor& embedding) const;
  /// Features after `block` -> [R, out_channels, H, W]. `stem` may be undefined where
  /// uses_stem(block) is false.
  at::Tensor predict(std::int64_t block, const at::Tensor& features, const at::Tensor& stem) const;
  bool uses_stem(std::int64_t block) const { return head_of(block).expand.weight.defined(); }
  /// The tokens that a UEM reads, in the type of the parameters: [R, c, h, w] -> [R, h w, c].
  at::Tensor tokens_of(const at::Tensor& features) const;
  /// Turns the values of the UEM after `block`, [R, T, P], into an image [R, C, H, W].
  at::Tensor map_image(std::int64_t block, const at::Tensor& values) const;
  /// The blocks as passes of that precision run them; made once.
  std::shared_ptr<const PreparedUNet> prepared(Precision precision) const;

 private:
  const UNetHead& head_of(std::int64_t block) const;

  UNetConfig config_;
  std::vector<UNetBlockShape> shapes_;
  UNetParameters parameters_;
  NetworkInfo info_;
  mutable PreparedWeights<PreparedUNet> prepared_;
};

/// The information about a network of these sizes, without making it. Throws ModelError where
/// passes may end at exits that have no head.
NetworkInfo describe(const UNetConfig& config, NetworkSettings settings);

}  // namespace adadiff::detail
