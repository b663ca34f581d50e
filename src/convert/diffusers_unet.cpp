// UNet2DModel's options as ours, and its names: diffusers counts layers by level, we count blocks.
#include "convert/diffusers_unet.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "convert/diffusers_folder.h"
#include "convert/official_form.h"
#include "convert/tensor_facts.h"
#include "core/check.h"
#include "io/json_reader.h"
#include "networks/unet/unet.h"

namespace adadiff::detail {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kLargest = 1 << 20;

std::int64_t int_or(const JsonReader& json, const char* key, std::int64_t otherwise) {
  const auto field = json.optional(key);
  return field ? field->as_int(0, kLargest) : otherwise;
}

bool bool_or(const JsonReader& json, const char* key, bool otherwise) {
  const auto field = json.optional(key);
  return field ? field->as_bool() : otherwise;
}

std::string text_or(const JsonReader& json, const char* key, const char* otherwise) {
  const auto field = json.optional(key);
  return field ? field->as_string() : otherwise;
}

/// Refuses any other value of an option than the one that we run.
void require_text(const JsonReader& json, const char* key, const char* only) {
  if (text_or(json, key, only) != only)
    json.field(key).fail(std::string("be ") + show(std::string(only)));
}

/// The levels with attention. The path up must mirror the path down.
std::vector<std::int64_t> attention_levels(const JsonReader& json) {
  std::vector<std::int64_t> levels;
  const auto down = json.field("down_block_types").elements(64);
  const auto up = json.field("up_block_types").elements(64);
  if (up.size() != down.size())
    json.field("up_block_types").fail("have as many entries as down_block_types");
  for (std::size_t level = 0; level < down.size(); ++level) {
    const std::string name = down[level].as_string();
    const JsonReader& mirrored = up[down.size() - 1 - level];
    const bool attends = name == "AttnDownBlock2D";
    if (!attends && name != "DownBlock2D" && name != "ResnetDownsampleBlock2D")
      down[level].fail("be one of DownBlock2D, AttnDownBlock2D, ResnetDownsampleBlock2D");
    const std::string upwards = mirrored.as_string();
    if (attends != (upwards == "AttnUpBlock2D") ||
        (!attends && upwards != "UpBlock2D" && upwards != "ResnetUpsampleBlock2D"))
      mirrored.fail(
          "mirror down_block_types, as one of UpBlock2D, AttnUpBlock2D, "
          "ResnetUpsampleBlock2D");
    if (attends) levels.push_back(static_cast<std::int64_t>(level));
  }
  return levels;
}

/// Whether resampling happens inside residual layers, which every change of resolution must agree
/// on.
bool is_residual(const JsonReader& json) {
  const auto levels = json.field("down_block_types").elements(64);
  const bool by_option = text_or(json, "downsample_type", "conv") == "resnet";
  bool any = false, all = true;
  for (std::size_t level = 0; level + 1 < levels.size(); ++level) {
    const std::string name = levels[level].as_string();
    const bool residual = name == "ResnetDownsampleBlock2D" ||
                          (name == "AttnDownBlock2D" && by_option);
    any = any || residual;
    all = all && residual;
  }
  if (any && !all)
    json.field("down_block_types")
        .fail("change the resolution in one way, by convolutions or in residual layers");
  return any;
}

Json describe_network(const JsonReader& json, const TensorFacts& facts) {
  require_text(json, "time_embedding_type", "positional");
  require_text(json, "act_fn", "silu");
  require_text(json, "mid_block_type", "UNetMidBlock2D");
  if (json.optional("class_embed_type") && !json.field("class_embed_type").value().is_null())
    json.field("class_embed_type").fail("be null");
  const auto channels = json.field("block_out_channels").elements(64);
  if (channels.empty()) json.field("block_out_channels").fail("have an entry per level");
  const std::int64_t width = channels[0].as_int(1, kLargest);
  std::vector<std::int64_t> multipliers;
  for (const JsonReader& level : channels) {
    if (level.as_int(1, kLargest) % width != 0)
      level.fail("be a multiple of the first entry, " + show(width));
    multipliers.push_back(level.as_int(1, kLargest) / width);
  }
  const std::int64_t in = int_or(json, "in_channels", 3), out = int_or(json, "out_channels", 3);
  if (out != in && out != 2 * in)
    json.field("out_channels").fail("be in_channels, or twice as many where variances are learned");
  const std::string shift = text_or(json, "resnet_time_scale_shift", "default");
  if (shift != "default" && shift != "scale_shift")
    json.field("resnet_time_scale_shift").fail("be default or scale_shift");
  const auto scale = json.optional("mid_block_scale_factor");
  const auto eps = json.optional("norm_eps");
  Json network = {{"kind", "unet"},
                  {"channels", in},
                  {"width", width},
                  {"multipliers", multipliers},
                  {"blocks_per_level", int_or(json, "layers_per_block", 2)},
                  {"attention_levels", attention_levels(json)},
                  {"middle_attention", facts.any_begins_with("mid_block.attentions.0.")},
                  {"norm_groups", int_or(json, "norm_num_groups", 32)},
                  {"norm_eps", eps ? eps->as_double(0, 1) : 1e-5},
                  {"scale_shift", shift == "scale_shift"},
                  {"resampling", is_residual(json) ? "residual" : "convolution"},
                  {"pads_one_side", int_or(json, "downsample_padding", 1) == 0},
                  {"middle_scale", scale ? scale->as_double(0.01, 100) : 1},
                  {"label_rows", int_or(json, "num_class_embeds", 0)},
                  {"frequency_shift", int_or(json, "freq_shift", 0)},
                  {"sine_first", !bool_or(json, "flip_sin_to_cos", true)},
                  {"centers_input", bool_or(json, "center_input_sample", false)},
                  {"learned_variance", out == 2 * in},
                  {"uncertainty", "none"}};
  if (const auto size = json.optional("sample_size")) network["image_size"] = size->value();
  // diffusers' default is 8 channels; null means one head.
  const bool has_one_head = json.value().contains("attention_head_dim") &&
                            !json.optional("attention_head_dim");
  if (has_one_head) {
    network["heads"] = 1;
  } else {
    network["head_width"] = int_or(json, "attention_head_dim", 8);
  }
  return network;
}

Json describe(const ForeignModel& input) {
  const std::string source = input.weights.source + ": config.json";
  if (input.network_config.empty()) {
    raise<ModelError>({input.weights.source,
                       "lie in a folder with config.json, as diffusers writes it",
                       "has none beside it", "name the folder instead of the file"});
  }
  const JsonReader json(input.network_config, source, {.error = JsonError::ModelError});
  Json description = {{"format", 1},
                      {"network", describe_network(json, TensorFacts(input.weights))},
                      {"exits", Json::array()}};
  description.update(describe_diffusers_scheduler(
      input.scheduler_config, input.weights.source + ": scheduler_config.json"));
  return description;
}

void require_fits(const Model& model, const std::string& where) {
  const UNetConfig& config = require_family<UNet>(model, where, "a UNet").config();
  require_no_exits(config, where);
  const auto refuse = [&](const char* field, const std::string& must, const std::string& found) {
    raise<ModelError>({where + ": network." + field, must + ", as in UNet2DModel", found});
  };
  if (config.heads_outermost) refuse("heads_outermost", "be false", "is true");
  if (config.pooled_width > 0) refuse("pooled_width", "be 0", "is " + show(config.pooled_width));
  if (config.resampling == UNetResampling::Plain)
    refuse("resampling", "be convolution or residual", "is plain");
}

/// The end of a layer's name and what it is called there.
struct LayerName {
  const char* ours;
  const char* theirs;
};
constexpr LayerName kLayerNames[] = {{".in_layers.0", ".norm1"},
                                     {".in_layers.2", ".conv1"},
                                     {".emb_layers.1", ".time_emb_proj"},
                                     {".out_layers.0", ".norm2"},
                                     {".out_layers.3", ".conv2"},
                                     {".skip_connection", ".conv_shortcut"},
                                     {".norm", ".group_norm"},
                                     {".op", ".conv"},
                                     {".conv", ".conv"}};
constexpr LayerName kOtherNames[] = {{"time_embed.0", "time_embedding.linear_1"},
                                     {"time_embed.2", "time_embedding.linear_2"},
                                     {"label_emb", "class_embedding"},
                                     {"input_blocks.0.0", "conv_in"},
                                     {"out.0", "conv_norm_out"},
                                     {"out.2", "conv_out"}};

std::int64_t number_at(const std::string& text, std::size_t place) {
  std::int64_t number = 0;
  std::from_chars(text.data() + place, text.data() + text.size(), number);
  return number;
}

/// "output_blocks.7.1.norm.weight" in parts.
struct OurName {
  std::string path;        ///< "output_blocks"
  std::int64_t block = 0;  ///< 7; 0 in the middle
  std::int64_t layer = 0;  ///< 1
  std::string end;         ///< ".norm"
  std::string tensor;      ///< ".weight"
};

OurName parse_name(const std::string& name) {
  OurName parts;
  const auto first = name.find('.'), last = name.rfind('.');
  parts.path = name.substr(0, first);
  parts.tensor = name.substr(last);
  auto layer = first;
  if (parts.path != "middle_block") {
    parts.block = number_at(name, first + 1);
    layer = name.find('.', first + 1);
  }
  parts.layer = number_at(name, layer + 1);
  const auto end = name.find('.', layer + 1);
  parts.end = name.substr(end, last - end);
  return parts;
}

bool is_attention(const OurName& name) {
  return name.end == ".norm" || name.end == ".qkv" || name.end == ".proj_out";
}

/// "up_blocks.1.resnets.2", from the place of the layer.
std::string layer_path(const UNetConfig& config, const OurName& name) {
  const std::string kind = is_attention(name) ? "attentions." : "resnets.";
  if (name.path == "middle_block")
    return "mid_block." + kind + (name.layer == 0 || is_attention(name) ? "0" : "1");
  const std::int64_t per_level = config.blocks_per_level + 1;
  const bool is_down = name.path == "input_blocks";
  const std::int64_t place = is_down ? name.block - 1 : name.block;
  const std::int64_t level = place / per_level, index = place % per_level;
  const std::string path = (is_down ? "down_blocks." : "up_blocks.") + std::to_string(level) + ".";
  if (is_down && index == config.blocks_per_level) return path + "downsamplers.0";
  if (!is_down && name.layer > 0 && !is_attention(name)) return path + "upsamplers.0";
  return path + kind + std::to_string(index);
}

class Names {
 public:
  Names(UNetConfig config, bool has_old_names)
      : config_(std::move(config)), has_old_names_(has_old_names) {}

  ForeignName operator()(const std::string& name) const {
    const std::string layer = name.substr(0, name.rfind('.'));
    for (const auto& [ours, theirs] : kOtherNames) {
      if (layer == ours) return {.parts = {theirs + name.substr(name.rfind('.'))}};
    }
    const OurName parts = parse_name(name);
    const std::string path = layer_path(config_, parts);
    if (parts.end == ".qkv") return attention_parts(path, parts.tensor);
    if (parts.end == ".proj_out")
      return {.parts = {path + (has_old_names_ ? ".proj_attn" : ".to_out.0") + parts.tensor}};
    for (const auto& [ours, theirs] : kLayerNames) {
      if (parts.end == ours) return {.parts = {path + theirs + parts.tensor}};
    }
    return {.parts = {name}};
  }

 private:
  ForeignName attention_parts(const std::string& path, const std::string& tensor) const {
    ForeignName all;
    for (const char* part : {"q", "k", "v"}) {
      const std::string old = part[0] == 'q' ? "query" : part[0] == 'k' ? "key" : "value";
      all.parts.push_back(path + "." + (has_old_names_ ? old : std::string("to_") + part) + tensor);
    }
    return all;
  }

  UNetConfig config_;
  bool has_old_names_;  ///< of attention, before diffusers 0.17
};

NameMap names(const Model& model, const ForeignTensors* weights) {
  const bool has_old_names = weights != nullptr &&
                             std::any_of(weights->begin(), weights->end(), [](const auto& tensor) {
                               return tensor.first.ends_with(".proj_attn.weight");
                             });
  return Names(dynamic_cast<const UNet&>(*model.network).config(), has_old_names);
}

}  // namespace

ForeignFamily diffusers_unet_family() {
  return {.name = "diffusers-unet",
          .about = "diffusers' UNet2DModel; the input is its folder",
          .anchor = "down_blocks.0.resnets.0.norm1.weight",
          .describe = describe,
          .require_fits = require_fits,
          .names = names,
          .may_be_left = nullptr};
}

}  // namespace adadiff::detail
