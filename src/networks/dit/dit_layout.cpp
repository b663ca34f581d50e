// Shapes, names, first values and costs of a DiT's parameters.
#include "networks/dit/dit_layout.h"

#include <cmath>
#include <string_view>
#include <utility>

#include <ATen/ATen.h>

namespace adadiff::detail {
namespace {

DiTBlock make_block(const DiTConfig& c) {
  return {make_linear(c.width, 3 * c.width), make_linear(c.width, c.width),
          make_linear(c.width, c.mlp_width()), make_linear(c.mlp_width(), c.width),
          make_linear(c.width, 6 * c.width)};
}

DiTHead make_head(const DiTConfig& c) {
  return {make_linear(c.width, 2 * c.width), make_linear(c.width, c.head_values())};
}

void visit_block(DiTBlock& block, const std::string& prefix, const TensorVisitor& visitor) {
  block.qkv.visit(prefix + "attn.qkv", visitor);
  block.proj.visit(prefix + "attn.proj", visitor);
  block.fc1.visit(prefix + "mlp.fc1", visitor);
  block.fc2.visit(prefix + "mlp.fc2", visitor);
  block.modulation.visit(prefix + "adaLN_modulation.1", visitor);
}

void visit_head(DiTHead& head, const std::string& prefix, const TensorVisitor& visitor) {
  head.linear.visit(prefix + "linear", visitor);
  head.modulation.visit(prefix + "adaLN_modulation.1", visitor);
}

NetworkCost cost_of(const DiTConfig& c) {
  const auto width = static_cast<double>(c.width), tokens = static_cast<double>(c.patches());
  const auto mlp = static_cast<double>(c.mlp_width());
  const auto values = static_cast<double>(c.head_values());
  NetworkCost cost;
  cost.embed = tokens * width * static_cast<double>(c.patch_values()) +
               width * (static_cast<double>(c.time_frequencies) + width);
  for (std::int64_t block = 0; block < c.depth; ++block) {
    cost.attention.push_back(tokens * width * 4 * width + 2 * tokens * tokens * width);
    cost.mlp.push_back(tokens * width * 2 * mlp);
    cost.block.push_back(cost.attention.back() + cost.mlp.back() + 6 * width * width);
    cost.head.push_back(tokens * width * values + 2 * width * width);
    cost.score.push_back(uncertainty_cost(c.uncertainty, c.uncertainty_sizes()));
  }
  return cost;
}

/// Sines and cosines of a patch's column in the first half of its token, of its row in the second
/// (the order of the official code): sin(n / 10000^(i / (D / 4))), then the cosines.
at::Tensor position_embedding(const DiTConfig& c) {
  const std::int64_t side = c.image_size / c.patch_size, quarter = c.width / 4;
  const at::Tensor index = at::arange(quarter, at::kDouble) / static_cast<double>(quarter);
  const at::Tensor frequency = at::pow(10000.0, index.neg());                       // [D/4]
  const at::Tensor angle = at::arange(side, at::kDouble).unsqueeze(1) * frequency;  // [side, D/4]
  const at::Tensor along = at::cat({angle.sin(), angle.cos()}, 1);                  // [side, D/2]
  const at::Tensor columns = along.unsqueeze(0).expand({side, side, 2 * quarter});
  const at::Tensor rows = along.unsqueeze(1).expand({side, side, 2 * quarter});
  return at::cat({columns, rows}, 2).view({1, side * side, c.width}).to(at::kFloat);
}

bool is_zero_at_first(const std::string& name) {
  return name.find("adaLN_modulation") != std::string::npos || name.starts_with("final_layer.") ||
         name.starts_with("exit_heads.") || name.ends_with(".bias");
}

}  // namespace

DiTParameters make_parameters(const DiTConfig& c) {
  DiTParameters p;
  p.patch_embed = {at::zeros({c.width, c.channels, c.patch_size, c.patch_size}),
                   at::zeros({c.width})};
  p.time_in = make_linear(c.time_frequencies, c.width);
  p.time_out = make_linear(c.width, c.width);
  if (c.label_rows > 0) p.label_emb = at::zeros({c.label_rows, c.width});
  p.pos_embed = at::zeros({1, c.patches(), c.width});
  for (std::int64_t block = 0; block < c.depth; ++block) {
    p.blocks.push_back(make_block(c));
    p.uncertainty.push_back(make_uncertainty(c.uncertainty, c.uncertainty_sizes()));
    if (c.heads_per_exit && block + 1 < c.depth) p.exit_heads.push_back(make_head(c));
  }
  p.head = make_head(c);
  return p;
}

void visit_parameters(DiTParameters& p, const TensorVisitor& visitor) {
  p.patch_embed.visit("x_embedder.proj", visitor);
  p.time_in.visit("t_embedder.mlp.0", visitor);
  p.time_out.visit("t_embedder.mlp.2", visitor);
  if (p.label_emb.defined()) visitor("y_embedder.embedding_table.weight", p.label_emb);
  visitor("pos_embed", p.pos_embed);
  for (std::size_t i = 0; i < p.blocks.size(); ++i)
    visit_block(p.blocks[i], "blocks." + std::to_string(i) + ".", visitor);
  visit_head(p.head, "final_layer.", visitor);
  for (std::size_t i = 0; i < p.exit_heads.size(); ++i)
    visit_head(p.exit_heads[i], "exit_heads." + std::to_string(i) + ".", visitor);
  for (std::size_t i = 0; i < p.uncertainty.size(); ++i)
    p.uncertainty[i].visit("uem." + std::to_string(i), visitor);
}

DiTBlock in_type(const DiTBlock& block, at::ScalarType type) {
  DiTBlock copy = block;
  visit_block(copy, "",
              [type](const std::string&, at::Tensor& tensor) { tensor = tensor.to(type); });
  copy.modulation = block.modulation;  // is applied to the condition, which stays as it is
  return copy;
}

NetworkInfo describe(const DiTConfig& c, NetworkSettings settings) {
  NetworkInfo info;
  info.kind = "dit";
  info.blocks = static_cast<int>(c.depth);
  info.channels = c.channels;
  info.height = info.width = c.image_size;
  info.classes = c.label_rows;
  info.null_label = settings.null_label;
  info.can_exit = std::move(settings.can_exit);
  info.has_uncertainty = c.uncertainty != UncertaintyForm::None;
  info.cost = cost_of(c);
  info.has_learned_variance = c.learned_variance;
  info.skippable = kAttentionPart | kMlpPart;
  info.precisions = block_precisions(info.device);
  return info;
}

/// exit_heads.3.linear.weight starts from final_layer.linear.weight.
ParameterRole DiT::role(const std::string& name) const {
  constexpr std::string_view kHeads = "exit_heads.";
  if (name.starts_with("uem.")) return {.exit_source = "", .is_uncertainty = true};
  if (name.starts_with(kHeads))
    return {.exit_source = "final_layer." + name.substr(name.find('.', kHeads.size()) + 1)};
  return {.is_hidden_matrix = name.starts_with("blocks.") && name.ends_with(".weight") &&
                              name.find("adaLN_modulation") == std::string::npos};
}

void DiT::visit(const TensorVisitor& visitor) { visit_parameters(parameters_, visitor); }

void DiT::move_to(const Device& device) {
  move_parameters(*this, device);
  info_.device = device;
  info_.precisions = block_precisions(device);
}

// As the official code starts (adaLN-zero): modulations, heads and biases at 0, so that every block
// is the identity and every prediction 0; embeddings normal; matrices uniform in
// sqrt(6 / (fan-in + fan-out)) (Glorot & Bengio 2010); UEMs at 0, that is u = 1/2, but for the
// pooled form's hidden layer, which could not learn from there.
void DiT::initialise(std::uint64_t seed) {
  const bool is_pooled = config_.uncertainty == UncertaintyForm::Pooled;
  visit([&](const std::string& name, at::Tensor& tensor) {
    const bool is_hidden_layer = is_pooled && name.find(".out.") == std::string::npos;
    if (name == "pos_embed") return void(tensor.copy_(position_embedding(config_)));
    if (name.starts_with("t_embedder.") && !name.ends_with(".bias"))
      return fill_normal_(tensor, 0.02, seed, name);
    if (name.starts_with("y_embedder.")) return fill_normal_(tensor, 0.02, seed, name);
    if (name.starts_with("uem.") && !is_hidden_layer) return void(tensor.zero_());
    if (is_zero_at_first(name)) return void(tensor.zero_());
    const auto fan_out = static_cast<double>(tensor.size(0));
    const auto fan_in = static_cast<double>(tensor.numel()) / fan_out;
    fill_uniform_(tensor, std::sqrt(6 / (fan_in + fan_out)), seed, name);
  });
}

}  // namespace adadiff::detail
