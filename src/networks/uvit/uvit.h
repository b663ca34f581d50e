// U-ViT (Bao et al. 2023) with an exit after every block: one definition for sampling and training.
// Tensors have the official names.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include <adadiff/trainable_network.h>

#include "networks/exit_scores.h"
#include "networks/prepared.h"
#include "networks/uvit/uvit_config.h"
#include "nn/layers.h"
#include "nn/uncertainty.h"

namespace adadiff::detail {

struct UViTBlock {
  LayerNorm norm1, norm2;
  Linear qkv, proj, fc1, fc2;
  Linear skip_linear;  ///< undefined weight where the block takes no skip
};

/// What turns tokens into a prediction.
struct UViTHead {
  LayerNorm norm;
  Linear decoder_pred;  ///< undefined weight: the head uses that of the network
  Conv2d final_layer;   ///< undefined weight: the head uses that of the network, or none without
                        ///< the final convolution
};

struct UViTParameters {
  Linear patch_embed;  ///< weight [D, C, k, k] with k = p + 2 overlap, as the official convolution
                       ///< stores it
  Linear time_in, time_out;          ///< time_embed.0 and .2; undefined without the MLP
  at::Tensor label_emb;              ///< [label_rows, D] or undefined
  at::Tensor pos_embed;              ///< [1, extra + patches, D]
  std::vector<UViTBlock> blocks;     ///< in, mid, out
  std::vector<UViTHead> exit_heads;  ///< [blocks - 1] with heads or norms per exit, else empty
  UViTHead head;                     ///< the head after the last block, and the parts that exits do
                                     ///< not have of their own
  std::vector<UncertaintyModule> uncertainty;  ///< [blocks]
};

/// What the passes of one precision share.
struct PreparedUViT {
  std::vector<UViTBlock> blocks;  ///< in the type of the precision
  std::shared_ptr<const PackedUncertainty> uncertainty;
};

/// The tokens of one evaluation before the first block.
struct UViTTokens {
  at::Tensor tokens;          ///< [R, L, D]: label, time, patches
  at::Tensor time_embedding;  ///< [R, D]: the time token before the position embedding
};

class UViT final : public TrainableNetwork {
 public:
  /// The weights are zero until they are read or initialised.
  UViT(const UViTConfig& config, NetworkSettings settings);

  const NetworkInfo& info() const override { return info_; }
  std::unique_ptr<ForwardPass> new_pass(const PassOptions& options) const override;
  std::vector<BlockOutput> outputs(const PassInputs& inputs,
                                   at::ScalarType block_type) const override;
  void visit(const TensorVisitor& visitor) override;
  void initialise(std::uint64_t seed) override;
  void move_to(const Device& device) override;
  ParameterRole role(const std::string& name) const override;
  std::string config_json() const override { return to_json(config_); }

  const UViTConfig& config() const { return config_; }

  // The pieces of a forward pass, in order.
  UViTTokens embed(const PassInputs& inputs) const;
  /// `skip` is the output of the mirrored in-block, [R, L, D]; undefined for blocks that take no
  /// skip. `left_out` holds the parts that do not run.
  at::Tensor run_block(const UViTBlock& block, const at::Tensor& tokens, const at::Tensor& skip,
                       std::uint8_t left_out) const;
  /// [R, L, D] after `block` -> [R, C, H, W].
  at::Tensor predict(std::int64_t block, const at::Tensor& tokens) const;
  bool pushes_skip(std::int64_t block) const { return config_.skip && block < config_.depth / 2; }
  bool takes_skip(std::int64_t block) const { return config_.skip && block > config_.depth / 2; }
  /// [R, L, D] -> [R, T, D], as a view, or as a copy in the type of the parameters.
  at::Tensor patch_tokens(const at::Tensor& tokens) const;
  /// [blocks]
  const std::vector<UncertaintyModule>& uncertainty() const { return parameters_.uncertainty; }
  /// The blocks as passes of that precision run them; made once.
  std::shared_ptr<const PreparedUViT> prepared(Precision precision) const;

 private:
  at::Tensor embed_patches(const at::Tensor& x) const;  ///< [R, C, H, W] -> [R, T, D]

  UViTConfig config_;
  UViTParameters parameters_;
  NetworkInfo info_;
  mutable PreparedWeights<PreparedUViT> prepared_;
};

}  // namespace adadiff::detail
