// Reads, checks and writes the "network" object of a UNet.
#include "networks/unet/unet_config.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "networks/config_fields.h"
#include "networks/unet/unet_blocks.h"
#include "networks/unet/unet_layers.h"

namespace adadiff::detail {
namespace {

constexpr std::int64_t kMostLevels = 8, kMostMultiplier = 64, kMostBlocks = 255;

/// A side, or [height, width].
void read_size(const JsonReader& json, UNetConfig& c) {
  if (!json.is_array()) {
    c.image_height = c.image_width = json.as_int(1, kLargestSide);
    return;
  }
  const auto sides = json.elements(2);
  if (sides.size() != 2) json.fail("be a side or a list of height and width");
  c.image_height = sides[0].as_int(1, kLargestSide);
  c.image_width = sides[1].as_int(1, kLargestSide);
}

std::vector<std::int64_t> read_ints(const JsonReader& json, std::int64_t low, std::int64_t high) {
  std::vector<std::int64_t> values;
  for (const JsonReader& value : json.elements(kMostLevels))
    values.push_back(value.as_int(low, high));
  return values;
}

void check_levels(const UNetConfig& c, const JsonReader& json) {
  require_field(!c.multipliers.empty(), json, "multipliers", "have an entry per level");
  const std::int64_t factor = std::int64_t{1} << (c.levels() - 1);
  require_field(
      c.image_height % factor == 0 && c.image_width % factor == 0, json, "image_size",
      "be a multiple of " + show(factor) + ", the factor between " + show(c.levels()) + " levels");
  require_field(c.blocks() <= kMostBlocks, json,
                json.optional("blocks_per_level") ? "blocks_per_level" : "multipliers",
                "give at most " + show(kMostBlocks) + " blocks");
  for (const std::int64_t multiplier : c.multipliers) {
    require_field(c.width * multiplier <= kLargestWidth, json, "width",
                  "give at most " + show(kLargestWidth) + " channels in every level");
  }
}

void check_attention(const UNetConfig& c, const UNetLayerShape& layer, const JsonReader& json) {
  const char* field = c.head_width == 0 ? "heads" : "head_width";
  const std::int64_t divisor = c.head_width == 0 ? c.heads : c.head_width;
  require_field(layer.in % divisor == 0, json, json.optional(field) ? field : "width",
                "divide the " + show(layer.in) + " channels of " + layer.name);
  const std::int64_t cells = (c.image_height / layer.factor) * (c.image_width / layer.factor);
  require_field(cells <= kMostTokens, json,
                json.optional("attention_levels") ? "attention_levels" : "image_size",
                "give attention over at most " + show(kMostTokens) + " cells");
}

void check_layers(const UNetConfig& c, const JsonReader& json) {
  for (const UNetBlockShape& block : block_shapes(c)) {
    for (const UNetLayerShape& layer : block.layers) {
      if (layer.kind == UNetLayerKind::Attention) check_attention(c, layer, json);
      require_field(layer.in % c.norm_groups == 0 && layer.out % c.norm_groups == 0, json,
                    json.optional("norm_groups") ? "norm_groups" : "width",
                    "divide the channels of " + layer.name + ", " + show(layer.in) + " and " +
                        show(layer.out));
    }
  }
}

void read_form(const JsonReader& json, UNetConfig& c) {
  read_field(json, "middle_attention", c.middle_attention);
  read_field(json, "heads", 1, kLargestWidth, c.heads);
  read_field(json, "head_width", 1, kLargestWidth, c.head_width);
  read_field(json, "heads_outermost", c.heads_outermost);
  read_field(json, "norm_groups", 1, kLargestWidth, c.norm_groups);
  if (const auto eps = json.optional("norm_eps")) c.norm_eps = eps->as_double(1e-12, 1);
  read_field(json, "scale_shift", c.scale_shift);
  if (const auto name = json.optional("resampling"))
    c.resampling = named_value(*name, kUNetResamplings);
  read_field(json, "pads_one_side", c.pads_one_side);
  if (const auto scale = json.optional("middle_scale"))
    c.middle_scale = scale->as_double(0.01, 100);
  read_field(json, "frequency_shift", 0, 1, c.frequency_shift);
  read_field(json, "sine_first", c.sine_first);
  read_field(json, "centers_input", c.centers_input);
  read_field(json, "learned_variance", c.learned_variance);
  read_field(json, "heads_per_exit", c.heads_per_exit);
  read_field(json, "uncertainty", c.uncertainty);
}

}  // namespace

std::int64_t UNetConfig::blocks() const { return levels() * (2 * blocks_per_level + 1) + levels(); }

UNetConfig parse_unet_config(const JsonReader& json) {
  json.allow_only({"kind",         "image_size",       "channels",         "width",
                   "multipliers",  "blocks_per_level", "attention_levels", "middle_attention",
                   "heads",        "head_width",       "heads_outermost",  "norm_groups",
                   "norm_eps",     "scale_shift",      "resampling",       "pads_one_side",
                   "middle_scale", "label_rows",       "pooled_width",     "frequency_shift",
                   "sine_first",   "centers_input",    "learned_variance", "heads_per_exit",
                   "uncertainty"});
  UNetConfig c;
  read_size(json.field("image_size"), c);
  c.channels = json.field("channels").as_int(1, 64);
  c.width = json.field("width").as_int(4, kLargestWidth);
  c.multipliers = read_ints(json.field("multipliers"), 1, kMostMultiplier);
  read_field(json, "blocks_per_level", 1, kMostBlocks, c.blocks_per_level);
  check_levels(c, json);
  if (const auto levels = json.optional("attention_levels"))
    c.attention_levels = read_ints(*levels, 0, c.levels() - 1);
  read_field(json, "label_rows", 0, 1'000'000, c.label_rows);
  read_field(json, "pooled_width", 0, kLargestWidth, c.pooled_width);
  read_form(json, c);
  const bool attends = c.middle_attention || !c.attention_levels.empty();
  if (attends && !json.optional("head_width")) json.field("heads");  // raises where it is missing
  require_field(c.width % 2 == 0, json, "width", "be even, for the sines and cosines of the time");
  check_layers(c, json);
  return c;
}

UNetConfig UNetConfig::with_exit_heads() const {
  UNetConfig config = *this;
  config.heads_per_exit = true;
  return config;
}

double UNetConfig::parameter_count() const {
  const auto w = static_cast<double>(width), e = static_cast<double>(time_width());
  const auto in = static_cast<double>(channels), out = static_cast<double>(head_channels());
  double all = e * (w + 1) + e * (e + 1) + static_cast<double>(label_rows) * e +
               (pooled_width > 0 ? e * (static_cast<double>(pooled_width) + 1) + e * (e + 1) : 0) +
               9 * in * w + w;
  const std::vector<UNetBlockShape> shapes = block_shapes(*this);
  for (const UNetBlockShape& block : shapes) {
    for (const UNetLayerShape& layer : block.layers)
      all += adadiff::detail::parameter_count(*this, layer);
    all += uncertainty_parameters(uncertainty, uncertainty_sizes(*this, block));
    if (!heads_per_exit && &block != &shapes.back()) continue;
    const auto c = static_cast<double>(block.channels), f = static_cast<double>(block.factor);
    all += 2 * c + (block.factor == 1 ? 9 * out * c + out
                                      : f * f * out * (c + 1) + 9 * out * (out + w) + out);
  }
  return all;
}

std::string to_json(const UNetConfig& c) {
  nlohmann::ordered_json size = c.image_height;
  if (c.image_width != c.image_height) size = {c.image_height, c.image_width};
  nlohmann::ordered_json json = {{"kind", "unet"},
                                 {"image_size", size},
                                 {"channels", c.channels},
                                 {"width", c.width},
                                 {"multipliers", c.multipliers},
                                 {"blocks_per_level", c.blocks_per_level},
                                 {"attention_levels", c.attention_levels},
                                 {"middle_attention", c.middle_attention}};
  if (c.head_width == 0) {
    json["heads"] = c.heads;
  } else {
    json["head_width"] = c.head_width;
  }
  json["heads_outermost"] = c.heads_outermost;
  json["norm_groups"] = c.norm_groups;
  json["norm_eps"] = c.norm_eps;
  json["scale_shift"] = c.scale_shift;
  json["resampling"] = name_of(kUNetResamplings, c.resampling);
  json["pads_one_side"] = c.pads_one_side;
  json["middle_scale"] = c.middle_scale;
  json["label_rows"] = c.label_rows;
  json["pooled_width"] = c.pooled_width;
  json["frequency_shift"] = c.frequency_shift;
  json["sine_first"] = c.sine_first;
  json["centers_input"] = c.centers_input;
  json["learned_variance"] = c.learned_variance;
  json["heads_per_exit"] = c.heads_per_exit;
  json["uncertainty"] = std::string(to_string(c.uncertainty));
  return json.dump();
}

}  // namespace adadiff::detail
