// Reads, checks and writes the "network" object of a DiT.
#include "networks/dit/dit_config.h"

#include <nlohmann/json.hpp>

#include "core/check.h"
#include "networks/config_fields.h"

namespace adadiff::detail {
namespace {

void check(const DiTConfig& c, const JsonReader& json) {
  require_field(c.image_size % c.patch_size == 0, json, "image_size",
                "be a multiple of patch_size " + show(c.patch_size));
  require_field(c.width % c.heads == 0, json, "width", "be a multiple of heads " + show(c.heads));
  require_field(c.width % 4 == 0, json, "width",
                "be a multiple of 4, for the sines and cosines of rows and columns");
  require_field(c.patches() <= kMostTokens, json, "patch_size",
                "give at most " + show(kMostTokens) + " tokens");
  require_field(c.mlp_width() >= 1, json, json.optional("mlp_ratio") ? "mlp_ratio" : "width",
                "give an MLP of at least one unit");
}

}  // namespace

DiTConfig parse_dit_config(const JsonReader& json) {
  json.allow_only({"kind", "image_size", "channels", "patch_size", "width", "depth", "heads",
                   "mlp_ratio", "label_rows", "time_frequencies", "frequency_shift",
                   "attention_norm_eps", "mlp_norm_eps", "learned_variance", "heads_per_exit",
                   "uncertainty"});
  DiTConfig c;
  c.image_size = json.field("image_size").as_int(1, kLargestSide);
  c.channels = json.field("channels").as_int(1, 64);
  c.patch_size = json.field("patch_size").as_int(1, kLargestSide);
  c.width = json.field("width").as_int(4, kLargestWidth);
  c.depth = json.field("depth").as_int(1, 255);
  c.heads = json.field("heads").as_int(1, kLargestWidth);
  if (const auto ratio = json.optional("mlp_ratio")) c.mlp_ratio = ratio->as_double(0.001, 64);
  read_field(json, "label_rows", 0, 1'000'000, c.label_rows);
  read_field(json, "time_frequencies", 4, kLargestWidth, c.time_frequencies);
  read_field(json, "frequency_shift", 0, 1, c.frequency_shift);
  if (const auto eps = json.optional("attention_norm_eps"))
    c.attention_norm_eps = eps->as_double(1e-12, 1);
  if (const auto eps = json.optional("mlp_norm_eps")) c.mlp_norm_eps = eps->as_double(1e-12, 1);
  read_field(json, "learned_variance", c.learned_variance);
  read_field(json, "heads_per_exit", c.heads_per_exit);
  read_field(json, "uncertainty", c.uncertainty);
  check(c, json);
  return c;
}

DiTConfig DiTConfig::with_exit_heads() const {
  DiTConfig config = *this;
  config.heads_per_exit = true;
  return config;
}

double DiTConfig::parameter_count() const {
  const auto d = static_cast<double>(width), mlp = static_cast<double>(mlp_width());
  const auto blocks = static_cast<double>(depth), heads_there = heads_per_exit ? blocks : 1;
  const double block = 4 * d * d + 4 * d + 2 * mlp * d + mlp + d + 6 * (d * d + d);
  const double head = 2 * (d * d + d) + static_cast<double>(head_values()) * (d + 1);
  const double embeddings = (static_cast<double>(patch_values()) + 1) * d +
                            static_cast<double>(label_rows + patches()) * d +
                            (static_cast<double>(time_frequencies) + 1) * d + (d + 1) * d;
  return embeddings + heads_there * head +
         blocks * (block + uncertainty_parameters(uncertainty, uncertainty_sizes()));
}

std::string to_json(const DiTConfig& c) {
  const nlohmann::ordered_json json = {{"kind", "dit"},
                                       {"image_size", c.image_size},
                                       {"channels", c.channels},
                                       {"patch_size", c.patch_size},
                                       {"width", c.width},
                                       {"depth", c.depth},
                                       {"heads", c.heads},
                                       {"mlp_ratio", c.mlp_ratio},
                                       {"label_rows", c.label_rows},
                                       {"time_frequencies", c.time_frequencies},
                                       {"frequency_shift", c.frequency_shift},
                                       {"attention_norm_eps", c.attention_norm_eps},
                                       {"mlp_norm_eps", c.mlp_norm_eps},
                                       {"learned_variance", c.learned_variance},
                                       {"heads_per_exit", c.heads_per_exit},
                                       {"uncertainty", std::string(to_string(c.uncertainty))}};
  return json.dump();
}

}  // namespace adadiff::detail
