// Reads, checks and writes the "network" object of a U-ViT.
#include "networks/uvit/uvit_config.h"

#include <nlohmann/json.hpp>

#include <optional>

#include "core/check.h"
#include "networks/config_fields.h"

namespace adadiff::detail {
namespace {

void check(const UViTConfig& c, const JsonReader& json) {
  require_field(c.image_size % c.patch_size == 0, json, "image_size",
                "be a multiple of patch_size " + show(c.patch_size));
  require_field(c.width % c.heads == 0, json, "width", "be a multiple of heads " + show(c.heads));
  require_field(c.depth % 2 == 0, json, "depth",
                "be even: half of the blocks are in-blocks, half out-blocks");
  require_field(c.tokens() <= kMostTokens, json, "patch_size",
                "give at most " + show(kMostTokens) + " tokens");
  require_field(!(c.heads_per_exit && c.norm_per_exit), json, "norm_per_exit",
                "be false with heads_per_exit, which has norms");
  require_field(c.mlp_width() >= 1, json, json.optional("mlp_ratio") ? "mlp_ratio" : "width",
                "give an MLP of at least one unit");
}

}  // namespace

UViTConfig parse_uvit_config(const JsonReader& json) {
  json.allow_only({"kind", "image_size", "channels", "patch_size", "width", "depth", "heads",
                   "mlp_ratio", "qkv_bias", "label_rows", "time_mlp", "final_conv", "skip",
                   "heads_per_exit", "norm_per_exit", "patch_overlap", "uncertainty"});
  UViTConfig c;
  c.image_size = json.field("image_size").as_int(1, kLargestSide);
  c.channels = json.field("channels").as_int(1, 64);
  c.patch_size = json.field("patch_size").as_int(1, kLargestSide);
  c.width = json.field("width").as_int(2, kLargestWidth);
  c.depth = json.field("depth").as_int(0, 254);
  c.heads = json.field("heads").as_int(1, kLargestWidth);
  if (const auto ratio = json.optional("mlp_ratio")) c.mlp_ratio = ratio->as_double(0.001, 64);
  read_field(json, "qkv_bias", c.qkv_bias);
  read_field(json, "label_rows", 0, 1'000'000, c.label_rows);
  read_field(json, "time_mlp", c.time_mlp);
  read_field(json, "final_conv", c.final_conv);
  read_field(json, "skip", c.skip);
  read_field(json, "heads_per_exit", c.heads_per_exit);
  read_field(json, "norm_per_exit", c.norm_per_exit);
  read_field(json, "patch_overlap", 0, c.patch_size, c.patch_overlap);
  read_field(json, "uncertainty", c.uncertainty);
  check(c, json);
  return c;
}

UViTConfig UViTConfig::with_exit_heads() const {
  UViTConfig config = *this;
  config.heads_per_exit = !norm_per_exit;
  return config;
}

double UViTConfig::parameter_count() const {
  const auto d = static_cast<double>(width), mlp = static_cast<double>(mlp_width()),
             values = static_cast<double>(patch_values());
  const std::int64_t in_blocks = depth / 2;
  const auto all = static_cast<double>(blocks()), halves = static_cast<double>(in_blocks),
             conv = static_cast<double>(channels);
  const double block = d * (4 * d + 2 * mlp) + (qkv_bias ? 3 * d : 0) + d + mlp + d + 4 * d;
  const double head = 2 * d + values * (d + 1) + (final_conv ? 9 * conv * conv + conv : 0);
  const double module = uncertainty_parameters(uncertainty, uncertainty_sizes());
  const auto kernel = static_cast<double>(patch_size + 2 * patch_overlap);
  const double embeddings = kernel * kernel * conv * d + d +
                            static_cast<double>(label_rows + tokens()) * d +
                            (time_mlp ? 8 * d * d + 5 * d : 0);
  return embeddings + all * (block + module) + (skip ? halves * (2 * d * d + d) : 0) +
         (heads_per_exit ? all : 1) * head + (norm_per_exit ? (all - 1) * 2 * d : 0);
}

std::string to_json(const UViTConfig& c) {
  const nlohmann::ordered_json json = {{"kind", "uvit"},
                                       {"image_size", c.image_size},
                                       {"channels", c.channels},
                                       {"patch_size", c.patch_size},
                                       {"width", c.width},
                                       {"depth", c.depth},
                                       {"heads", c.heads},
                                       {"mlp_ratio", c.mlp_ratio},
                                       {"qkv_bias", c.qkv_bias},
                                       {"label_rows", c.label_rows},
                                       {"time_mlp", c.time_mlp},
                                       {"final_conv", c.final_conv},
                                       {"skip", c.skip},
                                       {"heads_per_exit", c.heads_per_exit},
                                       {"norm_per_exit", c.norm_per_exit},
                                       {"patch_overlap", c.patch_overlap},
                                       {"uncertainty", std::string(to_string(c.uncertainty))}};
  return json.dump();
}

}  // namespace adadiff::detail
