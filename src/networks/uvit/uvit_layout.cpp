// Shapes, names, first values and costs of a U-ViT's parameters.
#include "networks/uvit/uvit_layout.h"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>

namespace adadiff::detail {
namespace {

UViTBlock make_block(const UViTConfig& c, bool takes_skip) {
  UViTBlock block;
  block.norm1 = make_layer_norm(c.width);
  block.norm2 = make_layer_norm(c.width);
  block.qkv = make_linear(c.width, 3 * c.width, c.qkv_bias);
  block.proj = make_linear(c.width, c.width);
  block.fc1 = make_linear(c.width, c.mlp_width());
  block.fc2 = make_linear(c.mlp_width(), c.width);
  if (takes_skip) block.skip_linear = make_linear(2 * c.width, c.width);
  return block;
}

UViTHead make_head(const UViTConfig& c) {
  UViTHead head{make_layer_norm(c.width), make_linear(c.width, c.patch_values()), {}};
  if (c.final_conv) head.final_layer = make_conv(c.channels, c.channels, 3);
  return head;
}

void visit_block(UViTBlock& block, const std::string& prefix, const TensorVisitor& visitor) {
  block.norm1.visit(prefix + ".norm1", visitor);
  block.qkv.visit(prefix + ".attn.qkv", visitor);
  block.proj.visit(prefix + ".attn.proj", visitor);
  block.norm2.visit(prefix + ".norm2", visitor);
  block.fc1.visit(prefix + ".mlp.fc1", visitor);
  block.fc2.visit(prefix + ".mlp.fc2", visitor);
  if (block.skip_linear.weight.defined()) block.skip_linear.visit(prefix + ".skip_linear", visitor);
}

void visit_head(UViTHead& head, const std::string& prefix, const TensorVisitor& visitor) {
  head.norm.visit(prefix + "norm", visitor);
  if (head.decoder_pred.weight.defined()) head.decoder_pred.visit(prefix + "decoder_pred", visitor);
  if (head.final_layer.weight.defined()) head.final_layer.visit(prefix + "final_layer", visitor);
}

std::string block_name(std::size_t block, std::size_t blocks) {
  const auto half = blocks / 2;
  if (block == half) return "mid_block";
  return block < half ? "in_blocks." + std::to_string(block)
                      : "out_blocks." + std::to_string(block - half - 1);
}

NetworkCost cost_of(const UViTConfig& c) {
  const auto width = static_cast<double>(c.width), tokens = static_cast<double>(c.tokens()),
             patches = static_cast<double>(c.patches());
  const auto values = static_cast<double>(c.patch_values()),
             mlp = static_cast<double>(c.mlp_width());
  const auto pixels = static_cast<double>(c.image_size * c.image_size * c.channels);
  const double attention = tokens * width * 4 * width + 2 * tokens * tokens * width;
  const double both = attention + tokens * width * 2 * mlp;
  const auto kernel = static_cast<double>(c.patch_size + 2 * c.patch_overlap);
  const double head = patches * width * values +
                      (c.final_conv ? 9 * pixels * static_cast<double>(c.channels) : 0);
  NetworkCost cost;
  cost.embed = patches * width * kernel * kernel * static_cast<double>(c.channels) +
               (c.time_mlp ? 8 * width * width : 0);
  for (std::int64_t block = 0; block < c.blocks(); ++block) {
    cost.block.push_back(both + (c.skip && block > c.depth / 2 ? 2 * tokens * width * width : 0));
    cost.attention.push_back(attention);
    cost.mlp.push_back(both - attention);
    cost.head.push_back(head);
    cost.score.push_back(uncertainty_cost(c.uncertainty, c.uncertainty_sizes()));
  }
  return cost;
}

/// A kernel [C, C, k, k] with odd k that leaves images as they are.
void pass_images_on(at::Tensor& kernel) {
  const auto centre = kernel.size(2) / 2;
  kernel.zero_().select(3, centre).select(2, centre).fill_diagonal_(1);
}

}  // namespace

UViTParameters make_parameters(const UViTConfig& c) {
  UViTParameters p;
  const auto kernel = c.patch_size + 2 * c.patch_overlap;
  p.patch_embed = {at::zeros({c.width, c.channels, kernel, kernel}), at::zeros({c.width})};
  if (c.time_mlp) {
    p.time_in = make_linear(c.width, 4 * c.width);
    p.time_out = make_linear(4 * c.width, c.width);
  }
  if (c.label_rows > 0) p.label_emb = at::zeros({c.label_rows, c.width});
  p.pos_embed = at::zeros({1, c.tokens(), c.width});
  for (std::int64_t block = 0; block < c.blocks(); ++block) {
    p.blocks.push_back(make_block(c, c.skip && block > c.depth / 2));
    p.uncertainty.push_back(make_uncertainty(c.uncertainty, c.uncertainty_sizes()));
    if (block + 1 == c.blocks()) continue;
    if (c.heads_per_exit) p.exit_heads.push_back(make_head(c));
    if (c.norm_per_exit) p.exit_heads.push_back({make_layer_norm(c.width), {}, {}});
  }
  p.head = make_head(c);
  return p;
}

void visit_parameters(UViTParameters& p, const TensorVisitor& visitor) {
  p.patch_embed.visit("patch_embed.proj", visitor);
  if (p.time_in.weight.defined()) {
    p.time_in.visit("time_embed.0", visitor);
    p.time_out.visit("time_embed.2", visitor);
  }
  if (p.label_emb.defined()) visitor("label_emb.weight", p.label_emb);
  visitor("pos_embed", p.pos_embed);
  for (std::size_t i = 0; i < p.blocks.size(); ++i)
    visit_block(p.blocks[i], block_name(i, p.blocks.size()), visitor);
  visit_head(p.head, "", visitor);
  for (std::size_t i = 0; i < p.exit_heads.size(); ++i)
    visit_head(p.exit_heads[i], "exit_heads." + std::to_string(i) + ".", visitor);
  for (std::size_t i = 0; i < p.uncertainty.size(); ++i)
    p.uncertainty[i].visit("uem." + std::to_string(i), visitor);
}

UViTBlock in_type(const UViTBlock& block, at::ScalarType type) {
  UViTBlock copy = block;
  visit_block(copy, "", [type](const std::string&, at::Tensor& tensor) {
    if (tensor.defined()) tensor = tensor.to(type);
  });
  return copy;
}

NetworkInfo describe(const UViTConfig& c, NetworkSettings settings) {
  NetworkInfo info;
  info.kind = "uvit";
  info.blocks = static_cast<int>(c.blocks());
  info.channels = c.channels;
  info.height = info.width = c.image_size;
  info.classes = c.label_rows;
  info.null_label = settings.null_label;
  info.can_exit = std::move(settings.can_exit);
  info.has_uncertainty = c.uncertainty != UncertaintyForm::None;
  info.cost = cost_of(c);
  info.skippable = kAttentionPart | kMlpPart;
  info.precisions = block_precisions(info.device);
  return info;
}

/// exit_heads.3.norm.weight starts from norm.weight.
ParameterRole UViT::role(const std::string& name) const {
  constexpr std::string_view kHeads = "exit_heads.";
  if (name.starts_with("uem.")) return {.exit_source = "", .is_uncertainty = true};
  if (name.starts_with(kHeads))
    return {.exit_source = name.substr(name.find('.', kHeads.size()) + 1)};
  const bool is_in_block = name.starts_with("in_blocks.") || name.starts_with("mid_block.") ||
                           name.starts_with("out_blocks.");
  return {.is_hidden_matrix = is_in_block && name.ends_with(".weight") &&
                              name.find(".norm") == std::string::npos};
}

void UViT::visit(const TensorVisitor& visitor) { visit_parameters(parameters_, visitor); }

void UViT::move_to(const Device& device) {
  move_parameters(*this, device);
  info_.device = device;
  info_.precisions = block_precisions(device);
}

// Weights and biases uniform in 1/sqrt(fan-in), as PyTorch's layers start; embeddings normal; norms
// at 1 and 0; UEMs at 0, that is u = 1/2, but for the pooled form's hidden layer, which could not
// learn from there. Final convolutions pass the image on: a random kernel of nine values suppresses
// some frequencies by chance, and unlearning that costs hundreds of steps.
void UViT::initialise(std::uint64_t seed) {
  double bound = 0;
  const auto is_hidden_layer = [this](const std::string& name) {
    return config_.uncertainty == UncertaintyForm::Pooled &&
           name.find(".out.") == std::string::npos;
  };
  visit([&](const std::string& name, at::Tensor& tensor) {
    if (name.find("norm") != std::string::npos) return;
    if (name.starts_with("uem.") && !is_hidden_layer(name)) return void(tensor.zero_());
    if (name == "pos_embed") return fill_normal_(tensor, 0.02, seed, name);
    if (name == "label_emb.weight") return fill_normal_(tensor, 1, seed, name);
    if (name.ends_with("final_layer.weight")) return pass_images_on(tensor);
    if (name.ends_with("final_layer.bias")) return void(tensor.zero_());
    const std::int64_t fan_in = tensor.numel() / tensor.size(0);
    if (tensor.dim() > 1) bound = 1 / std::sqrt(static_cast<double>(fan_in));
    fill_uniform_(tensor, bound, seed, name);  // a bias follows its weight and shares its bound
  });
}

}  // namespace adadiff::detail
