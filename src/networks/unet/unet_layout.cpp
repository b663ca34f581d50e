// Shapes, names, first values and costs of a UNet's parameters.
#include "networks/unet/unet_layout.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include <ATen/ATen.h>

#include "core/check.h"

namespace adadiff::detail {
namespace {

constexpr std::string_view kHeads = "exit_heads.", kHead = "out.", kModules = "uem.";

UNetHead make_head(const UNetConfig& c, const UNetBlockShape& block) {
  UNetHead head{make_group_norm(block.channels, c.norm_groups, c.norm_eps), {}, {}};
  if (block.factor == 1) {
    head.conv = make_conv(block.channels, c.head_channels(), 3);
    return head;
  }
  head.expand = make_linear(block.channels, block.factor * block.factor * c.head_channels());
  head.conv = make_conv(c.head_channels() + c.width, c.head_channels(), 3);
  return head;
}

void visit_head(UNetHead& head, const std::string& prefix, const TensorVisitor& visitor) {
  head.norm.visit(prefix + "0", visitor);
  if (head.expand.weight.defined()) head.expand.visit(prefix + "expand", visitor);
  head.conv.visit(prefix + "2", visitor);
}

double head_cost(const UNetConfig& c, const UNetBlockShape& block) {
  const auto pixels = static_cast<double>(c.image_height) * static_cast<double>(c.image_width);
  const auto out = static_cast<double>(c.head_channels());
  const auto channels = static_cast<double>(block.channels);
  if (block.factor == 1) return pixels * 9 * channels * out;
  return pixels * (channels * out + 9 * out * (out + static_cast<double>(c.width)));
}

NetworkCost cost_of(const UNetConfig& c) {
  const auto e = static_cast<double>(c.time_width()), width = static_cast<double>(c.width);
  const auto pixels = static_cast<double>(c.image_height) * static_cast<double>(c.image_width);
  NetworkCost cost;
  cost.embed = pixels * 9 * static_cast<double>(c.channels) * width + e * (width + e) +
               (c.pooled_width > 0 ? e * (static_cast<double>(c.pooled_width) + e) : 0);
  for (const UNetBlockShape& block : block_shapes(c)) {
    double all = 0;
    for (const UNetLayerShape& layer : block.layers) all += adadiff::detail::cost_of(c, layer);
    cost.block.push_back(all);
    cost.head.push_back(head_cost(c, block));
    cost.score.push_back(uncertainty_cost(c.uncertainty, uncertainty_sizes(c, block)));
  }
  return cost;
}

/// The number behind a prefix such as "exit_heads.".
std::size_t index_behind(std::string_view prefix, const std::string& name) {
  return static_cast<std::size_t>(std::stoul(name.substr(prefix.size())));
}

bool is_norm(const std::string& name) {
  return name.find(".in_layers.0.") != std::string::npos ||
         name.find(".out_layers.0.") != std::string::npos ||
         name.find(".norm.") != std::string::npos || name.starts_with("out.0.") ||
         (name.starts_with(kHeads) &&
          name.substr(name.find('.', kHeads.size())).starts_with(".0."));
}

/// The last layer of a residual sum, and the convolutions of heads.
bool is_zero_at_first(const std::string& name) {
  return name.find(".out_layers.3.") != std::string::npos ||
         name.find(".proj_out.") != std::string::npos || name.starts_with("out.2.") ||
         (name.starts_with(kHeads) &&
          name.substr(name.find('.', kHeads.size())).starts_with(".2."));
}

}  // namespace

UNetParameters make_parameters(const UNetConfig& c, const std::vector<UNetBlockShape>& shapes) {
  UNetParameters p;
  p.time_in = make_linear(c.width, c.time_width());
  p.time_out = make_linear(c.time_width(), c.time_width());
  if (c.label_rows > 0) p.label_emb = at::zeros({c.label_rows, c.time_width()});
  if (c.pooled_width > 0) {
    p.pooled_in = make_linear(c.pooled_width, c.time_width());
    p.pooled_out = make_linear(c.time_width(), c.time_width());
  }
  p.stem = make_conv(c.channels, c.width, 3);
  for (const UNetBlockShape& shape : shapes) {
    UNetBlock& block = p.blocks.emplace_back();
    for (const UNetLayerShape& layer : shape.layers) block.push_back(make_layer(c, layer));
    p.uncertainty.push_back(make_uncertainty(c.uncertainty, uncertainty_sizes(c, shape)));
    if (c.heads_per_exit && &shape != &shapes.back()) p.exit_heads.push_back(make_head(c, shape));
  }
  p.head = make_head(c, shapes.back());
  return p;
}

void visit_parameters(UNetParameters& p, const std::vector<UNetBlockShape>& shapes,
                      const TensorVisitor& visitor) {
  p.time_in.visit("time_embed.0", visitor);
  p.time_out.visit("time_embed.2", visitor);
  if (p.label_emb.defined()) visitor("label_emb.weight", p.label_emb);
  if (p.pooled_in.weight.defined()) {
    p.pooled_in.visit("label_emb.0", visitor);
    p.pooled_out.visit("label_emb.2", visitor);
  }
  p.stem.visit("input_blocks.0.0", visitor);
  for (std::size_t block = 0; block < p.blocks.size(); ++block) {
    for (std::size_t layer = 0; layer < p.blocks[block].size(); ++layer)
      visit_layer(p.blocks[block][layer], shapes[block].layers[layer].name, visitor);
  }
  visit_head(p.head, std::string(kHead), visitor);
  for (std::size_t i = 0; i < p.exit_heads.size(); ++i)
    visit_head(p.exit_heads[i], std::string(kHeads) + std::to_string(i) + ".", visitor);
  for (std::size_t i = 0; i < p.uncertainty.size(); ++i)
    p.uncertainty[i].visit(std::string(kModules) + std::to_string(i), visitor);
}

UNetBlock in_type(const UNetBlock& block, at::ScalarType type) {
  UNetBlock copy = block;
  for (UNetLayer& layer : copy) {
    const auto* residual = std::get_if<UNetResidual>(&layer);
    const Linear embedding = residual == nullptr ? Linear{} : residual->embedding;
    visit_layer(layer, "",
                [type](const std::string&, at::Tensor& tensor) { tensor = tensor.to(type); });
    // This layer is applied to the embedding, which stays as it is.
    if (auto* converted = std::get_if<UNetResidual>(&layer)) converted->embedding = embedding;
  }
  return copy;
}

NetworkInfo describe(const UNetConfig& c, NetworkSettings settings) {
  const auto& exits = settings.can_exit;
  const bool has_exits = !exits.empty() &&
                         std::find(exits.begin() + 1, exits.end(), 1) != exits.end();
  if (has_exits && !c.heads_per_exit) {
    raise<ModelError>({"network.heads_per_exit",
                       "be true where passes may end early, since the features of a UNet's levels "
                       "differ in width",
                       "is false", "say \"exits\": [] for a network without exits"});
  }
  NetworkInfo info;
  info.kind = "unet";
  info.blocks = static_cast<int>(c.blocks());
  info.channels = c.channels;
  info.height = c.image_height;
  info.width = c.image_width;
  info.classes = c.label_rows;
  info.null_label = settings.null_label;
  info.can_exit = std::move(settings.can_exit);
  info.has_uncertainty = c.uncertainty != UncertaintyForm::None;
  info.cost = cost_of(c);
  info.condition.pooled_width = c.pooled_width;
  info.has_learned_variance = c.learned_variance;
  info.precisions = block_precisions(info.device);
  return info;
}

/// The head of an exit starts from the last one where it has the same shape.
ParameterRole UNet::role(const std::string& name) const {
  if (name.starts_with(kModules)) return {.exit_source = "", .is_uncertainty = true};
  if (name.starts_with(kHeads)) {
    const UNetBlockShape& own = shapes_[index_behind(kHeads, name)];
    const UNetBlockShape& last = shapes_.back();
    if (own.factor != 1 || own.channels != last.channels) return {.exit_source = ""};
    return {.exit_source = std::string(kHead) + name.substr(name.find('.', kHeads.size()) + 1)};
  }
  const bool is_in_block = name.starts_with("input_blocks.") || name.starts_with("middle_block.") ||
                           name.starts_with("output_blocks.");
  return {.is_hidden_matrix = is_in_block && name.ends_with(".weight") && !is_norm(name) &&
                              name != "input_blocks.0.0.weight" &&
                              name.find(".emb_layers.") == std::string::npos};
}

void UNet::visit(const TensorVisitor& visitor) { visit_parameters(parameters_, shapes_, visitor); }

void UNet::move_to(const Device& device) {
  move_parameters(*this, device);
  info_.device = device;
  info_.precisions = block_precisions(device);
}

// As the official code starts: the last layer of every residual sum and the heads' convolutions at
// 0; norms at 1 and 0; labels normal; the others uniform in 1/sqrt(fan-in), as PyTorch's layers
// start; UEMs at 0, that is u = 1/2, but for the pooled form's hidden layer, which could not learn
// from there.
void UNet::initialise(std::uint64_t seed) {
  const bool is_pooled = config_.uncertainty == UncertaintyForm::Pooled;
  double bound = 0;
  visit([&](const std::string& name, at::Tensor& tensor) {
    const bool is_hidden_layer = is_pooled && name.find(".out.") == std::string::npos;
    if (name.starts_with(kModules) && !is_hidden_layer) return void(tensor.zero_());
    if (is_norm(name)) return void(name.ends_with(".bias") ? tensor.zero_() : tensor.fill_(1));
    if (is_zero_at_first(name)) return void(tensor.zero_());
    if (name == "label_emb.weight") return fill_normal_(tensor, 1, seed, name);
    const auto fan_in = static_cast<double>(tensor.numel()) / static_cast<double>(tensor.size(0));
    if (tensor.dim() > 1) bound = 1 / std::sqrt(fan_in);
    fill_uniform_(tensor, bound, seed, name);  // a bias follows its weight and shares its bound
  });
}

}  // namespace adadiff::detail
