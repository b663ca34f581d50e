// DiT (Peebles & Xie 2023, "Scalable Diffusion Models with Transformers") with adaLN-zero and an
// exit after every block: one definition for sampling and training. Tensors have the official
// names.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include <adadiff/trainable_network.h>

#include "networks/dit/dit_config.h"
#include "networks/exit_scores.h"
#include "networks/prepared.h"
#include "nn/layers.h"
#include "nn/uncertainty.h"

namespace adadiff::detail {

struct DiTBlock {
  Linear qkv, proj, fc1, fc2;
  Linear modulation;  ///< [6 D, D]: shift, scale and gate of attention, then those of the MLP
};

/// What turns tokens into a prediction.
struct DiTHead {
  Linear modulation;  ///< [2 D, D]: shift and scale
  Linear linear;      ///< [p p C', D]; C' is C, or 2 C where variances are learned
};

struct DiTParameters {
  Linear patch_embed;                          ///< weight [D, C, p, p]
  Linear time_in, time_out;                    ///< the MLP on the sinusoid of the time
  at::Tensor label_emb;                        ///< [label_rows, D] or undefined
  at::Tensor pos_embed;                        ///< [1, T, D]
  std::vector<DiTBlock> blocks;                ///< [depth]
  std::vector<DiTHead> exit_heads;             ///< [depth - 1] with heads per exit, else empty
  DiTHead head;                                ///< the head after the last block
  std::vector<UncertaintyModule> uncertainty;  ///< [depth]
};

/// What the passes of one precision share.
struct PreparedDiT {
  std::vector<DiTBlock> blocks;  ///< in the type of the precision
  std::shared_ptr<const PackedUncertainty> uncertainty;
};

/// The tensors of one evaluation before the first block.
struct DiTTokens {
  at::Tensor tokens;          ///< [R, T, D]
  at::Tensor condition;       ///< [R, D]: silu(time + label), from which modulations are made
  at::Tensor time_embedding;  ///< [R, D]: the embedding of time alone
};

class DiT final : public TrainableNetwork {
 public:
  /// The weights are zero until they are read or initialised.
  DiT(const DiTConfig& config, NetworkSettings settings);

  const NetworkInfo& info() const override { return info_; }
  std::unique_ptr<ForwardPass> new_pass(const PassOptions& options) const override;
  std::vector<BlockOutput> outputs(const PassInputs& inputs,
                                   at::ScalarType block_type) const override;
  void visit(const TensorVisitor& visitor) override;
  void initialise(std::uint64_t seed) override;
  void move_to(const Device& device) override;
  ParameterRole role(const std::string& name) const override;
  std::string config_json() const override { return to_json(config_); }

  const DiTConfig& config() const { return config_; }
  const std::vector<UncertaintyModule>& uncertainty() const { return parameters_.uncertainty; }

  // The pieces of a forward pass, in order.
  DiTTokens embed(const PassInputs& inputs) const;
  /// `left_out` holds the parts that do not run.
  at::Tensor run_block(const DiTBlock& block, const at::Tensor& tokens, const at::Tensor& condition,
                       std::uint8_t left_out) const;
  /// [R, T, D] after `block` -> [R, out_channels, H, W].
  at::Tensor predict(std::int64_t block, const at::Tensor& tokens,
                     const at::Tensor& condition) const;
  /// Turns the values of a UEM, [R, T, P], into an image [R, C, H, W].
  at::Tensor map_image(const at::Tensor& values) const;
  /// The blocks as passes of that precision run them; made once.
  std::shared_ptr<const PreparedDiT> prepared(Precision precision) const;

 private:
  DiTConfig config_;
  DiTParameters parameters_;
  NetworkInfo info_;
  mutable PreparedWeights<PreparedDiT> prepared_;
};

/// The information about a network of these sizes, without making it.
NetworkInfo describe(const DiTConfig& config, NetworkSettings settings);

}  // namespace adadiff::detail
