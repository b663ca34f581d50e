// The forward computation of a DiT, block by block.
#include "networks/dit/dit.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>

#include "networks/dit/dit_layout.h"
#include "networks/label_table.h"

namespace adadiff::detail {
namespace {

constexpr double kHeadNormEps = 1e-6;

/// Modulations [R, n D] as n tensors [R, 1, D] of the tokens' type.
std::vector<at::Tensor> modulations(const Linear& layer, const at::Tensor& condition,
                                    at::ScalarType type) {
  const at::Tensor all = apply(layer, condition).to(type).unsqueeze(1);
  return all.chunk(layer.weight.size(0) / layer.weight.size(1), 2);
}

}  // namespace

DiT::DiT(const DiTConfig& config, NetworkSettings settings)
    : config_(config),
      parameters_(make_parameters(config)),
      info_(describe(config, std::move(settings))) {}

DiTTokens DiT::embed(const PassInputs& inputs) const {
  const auto& p = parameters_;
  const at::Tensor patches = at::linear(patchify(inputs.x, config_.patch_size),
                                        p.patch_embed.weight.view({config_.width, -1}),
                                        p.patch_embed.bias);  // [R, T, D]
  const at::Tensor frequencies = sinusoid(inputs.time, config_.time_frequencies,
                                          config_.frequency_shift)
                                     .to(p.pos_embed.scalar_type());
  const at::Tensor time = apply(p.time_out, at::silu(apply(p.time_in, frequencies)));  // [R, D]
  const bool has_labels = config_.label_rows > 0;
  const at::Tensor condition = has_labels ? time + at::embedding(p.label_emb, row_labels(inputs))
                                          : time;
  return {patches + p.pos_embed, at::silu(condition), time};
}

at::Tensor DiT::run_block(const DiTBlock& b, const at::Tensor& tokens, const at::Tensor& condition,
                          std::uint8_t left_out) const {
  const auto m = modulations(b.modulation, condition, tokens.scalar_type());
  at::Tensor x = tokens;
  if ((left_out & kAttentionPart) == 0) {
    const at::Tensor normed = modulated_norm(x, m[0], m[1], config_.attention_norm_eps);
    x = at::addcmul(x, m[2], apply(b.proj, attention(b.qkv, normed, config_.heads)));
  }
  if ((left_out & kMlpPart) == 0) {
    const at::Tensor normed = modulated_norm(x, m[3], m[4], config_.mlp_norm_eps);
    x = at::addcmul(x, m[5], apply(b.fc2, tanh_gelu(apply(b.fc1, normed))));
  }
  return x;
}

at::Tensor DiT::predict(std::int64_t block, const at::Tensor& tokens,
                        const at::Tensor& condition) const {
  const bool has_own = block + 1 < config_.depth && !parameters_.exit_heads.empty();
  const auto& head = has_own ? parameters_.exit_heads[static_cast<std::size_t>(block)]
                             : parameters_.head;
  const at::Tensor x = tokens.to(parameters_.pos_embed.scalar_type());
  const auto m = modulations(head.modulation, condition, x.scalar_type());
  const at::Tensor values = apply(head.linear, modulated_norm(x, m[0], m[1], kHeadNormEps));
  return unpatchify(values, config_.head_channels(), config_.patch_size, config_.image_size);
}

at::Tensor DiT::map_image(const at::Tensor& values) const {
  return unpatchify(values.expand({-1, config_.patches(), config_.patch_values()}).contiguous(),
                    config_.channels, config_.patch_size, config_.image_size);
}

std::shared_ptr<const PreparedDiT> DiT::prepared(Precision precision) const {
  const auto visit = [this](const TensorVisitor& visitor) {
    visit_parameters(const_cast<DiTParameters&>(parameters_), visitor);  // they are only looked at
  };
  return prepared_.get(precision, version_of(visit), [this](Precision of) {
    const c10::InferenceMode is_for_all_modes(false);
    const c10::NoGradGuard no_gradients;
    auto weights = std::make_shared<PreparedDiT>();
    for (const DiTBlock& block : parameters_.blocks)
      weights->blocks.push_back(in_type(block, scalar_type(of)));
    weights->uncertainty = pack(parameters_.uncertainty);
    return weights;
  });
}

std::vector<BlockOutput> DiT::outputs(const PassInputs& inputs, at::ScalarType block_type) const {
  const DiTTokens embedded = embed(inputs);
  const at::ScalarType type = parameters_.pos_embed.scalar_type();
  at::Tensor tokens = embedded.tokens.to(block_type);
  std::vector<BlockOutput> all;
  for (std::int64_t block = 0; block < config_.depth; ++block) {
    tokens = run_block(parameters_.blocks[static_cast<std::size_t>(block)], tokens,
                       embedded.condition, 0);
    at::Tensor map;
    const auto& module = parameters_.uncertainty[static_cast<std::size_t>(block)];
    if (module.weight.defined()) {
      map = uncertainty_values(module, tokens.to(type), embedded.time_embedding);
      map = is_map(config_.uncertainty) ? map_image(map) : map.flatten(1).mean(1);
    }
    const at::Tensor prediction = predict(block, tokens, embedded.condition);
    all.push_back({prediction.narrow(1, 0, config_.channels), map});
  }
  return all;
}

}  // namespace adadiff::detail
