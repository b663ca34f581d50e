// The forward computation of a U-ViT, block by block.
#include "networks/uvit/uvit.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>

#include "networks/label_table.h"
#include "networks/uvit/uvit_layout.h"

namespace adadiff::detail {

UViT::UViT(const UViTConfig& config, NetworkSettings settings)
    : config_(config),
      parameters_(make_parameters(config)),
      info_(describe(config, std::move(settings))) {}

at::Tensor UViT::embed_patches(const at::Tensor& x) const {
  const auto& [weight, bias] = parameters_.patch_embed;
  if (config_.patch_overlap == 0)
    return at::linear(patchify(x, config_.patch_size), weight.view({config_.width, -1}), bias);
  return at::conv2d(x, weight, bias, config_.patch_size, config_.patch_overlap)
      .flatten(2)
      .transpose(1, 2);
}

UViTTokens UViT::embed(const PassInputs& inputs) const {
  const auto& p = parameters_;
  const auto patches = embed_patches(inputs.x);                                    // [R, T, D]
  auto time = sinusoid(inputs.time, config_.width).to(p.pos_embed.scalar_type());  // [R, D]
  if (config_.time_mlp) time = apply(p.time_out, at::silu(apply(p.time_in, time)));
  std::vector<at::Tensor> parts;
  if (config_.label_rows > 0)
    parts.push_back(at::embedding(p.label_emb, row_labels(inputs)).unsqueeze(1));
  parts.push_back(time.unsqueeze(1));
  parts.push_back(patches);
  return {at::cat(parts, 1).add_(p.pos_embed), time};  // [R, L, D]
}

at::Tensor UViT::run_block(const UViTBlock& b, const at::Tensor& tokens, const at::Tensor& skip,
                           std::uint8_t left_out) const {
  auto x = b.skip_linear.weight.defined() ? apply_to_pair(b.skip_linear, tokens, skip) : tokens;
  if ((left_out & kAttentionPart) == 0)
    x = apply(b.proj, attention(b.qkv, apply(b.norm1, x), config_.heads)).add_(x);
  if ((left_out & kMlpPart) == 0)
    x = apply(b.fc2, exact_gelu(apply(b.fc1, apply(b.norm2, x)))).add_(x);
  return x;
}

at::Tensor UViT::predict(std::int64_t block, const at::Tensor& tokens) const {
  const auto has_own = block + 1 < config_.blocks() && !parameters_.exit_heads.empty();
  const auto& own = has_own ? parameters_.exit_heads[static_cast<std::size_t>(block)]
                            : parameters_.head;
  const auto& head = own.decoder_pred.weight.defined() ? own : parameters_.head;
  const auto values = apply(head.decoder_pred,
                            apply(own.norm, patch_tokens(tokens)));  // [R, T, p p C]
  const auto image = unpatchify(values, config_.channels, config_.patch_size,
                                config_.image_size);  // [R, C, H, W]
  return head.final_layer.weight.defined() ? apply(head.final_layer, image) : image;
}

at::Tensor UViT::patch_tokens(const at::Tensor& tokens) const {
  return tokens.narrow(1, config_.extra_tokens(), config_.patches())
      .to(parameters_.pos_embed.scalar_type());
}

std::shared_ptr<const PreparedUViT> UViT::prepared(Precision precision) const {
  const auto visit = [this](const TensorVisitor& visitor) {
    visit_parameters(const_cast<UViTParameters&>(parameters_), visitor);  // they are only looked at
  };
  return prepared_.get(precision, version_of(visit), [this](Precision of) {
    const c10::InferenceMode is_for_all_modes(false);
    const c10::NoGradGuard no_gradients;
    auto weights = std::make_shared<PreparedUViT>();
    for (const UViTBlock& block : parameters_.blocks)
      weights->blocks.push_back(in_type(block, scalar_type(of)));
    weights->uncertainty = pack(parameters_.uncertainty);
    return weights;
  });
}

std::vector<BlockOutput> UViT::outputs(const PassInputs& inputs, at::ScalarType block_type) const {
  auto [tokens, time] = embed(inputs);
  tokens = tokens.to(block_type);
  std::vector<BlockOutput> all;
  std::vector<at::Tensor> skips;
  for (std::int64_t block = 0; block < config_.blocks(); ++block) {
    at::Tensor skip;
    if (takes_skip(block)) {
      skip = skips.back();
      skips.pop_back();
    }
    tokens = run_block(parameters_.blocks[static_cast<std::size_t>(block)], tokens, skip, 0);
    if (pushes_skip(block)) skips.push_back(tokens);
    at::Tensor map;
    const auto& module = parameters_.uncertainty[static_cast<std::size_t>(block)];
    if (module.weight.defined()) {
      map = uncertainty_values(module, patch_tokens(tokens), time);  // [R, T, P] or [R, 1, 1]
      map = is_map(config_.uncertainty)
                ? unpatchify(map, config_.channels, config_.patch_size, config_.image_size)
                : map.flatten(1).mean(1);
    }
    all.push_back({predict(block, tokens), map});
  }
  return all;
}

}  // namespace adadiff::detail
