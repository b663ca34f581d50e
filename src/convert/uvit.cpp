// The official names are ours but for the certainty modules, which are also negated.
#include "convert/uvit.h"

#include <nlohmann/json.hpp>

#include "convert/official_form.h"
#include "convert/tensor_facts.h"
#include "core/check.h"
#include "networks/uvit/uvit.h"

namespace adadiff::detail {
namespace {

using Json = nlohmann::ordered_json;

Json describe(const ForeignModel& input) {
  const TensorFacts facts(input.weights);
  const std::int64_t width = facts.extent("pos_embed", 2);
  const std::int64_t patch = facts.extent("patch_embed.proj.weight", 2);
  const bool has_labels = facts.has("label_emb.weight");
  const std::int64_t patches = facts.extent("pos_embed", 1) - (has_labels ? 2 : 1);
  const std::int64_t rows = has_labels ? facts.extent("label_emb.weight", 0) : 0;
  Json description = {{"format", 1},
                      {"network",
                       {{"kind", "uvit"},
                        {"image_size", facts.square_side(patches, "pos_embed") * patch},
                        {"channels", facts.extent("patch_embed.proj.weight", 1)},
                        {"patch_size", patch},
                        {"width", width},
                        {"depth", 2 * facts.count("in_blocks.")},
                        {"heads", published_heads(width)},
                        {"mlp_ratio", facts.mlp_ratio("mid_block.mlp.fc1.weight", width)},
                        {"qkv_bias", facts.has("mid_block.attn.qkv.bias")},
                        {"label_rows", rows},
                        {"time_mlp", facts.has("time_embed.0.weight")},
                        {"final_conv", facts.has("final_layer.weight")},
                        {"skip", facts.has("out_blocks.0.skip_linear.weight")},
                        {"uncertainty", facts.any_begins_with("lte_classifer.") ? "map" : "none"}}},
                      {"prediction", "noise"},
                      {"schedule", {{"name", "vp-linear"}}},
                      {"time", {{"scale", 999}, {"shift", 0}}}};
  if (rows > 0) description["labels"]["null"] = rows - 1;
  return description;
}

void require_fits(const Model& model, const std::string& where) {
  const UViTConfig& config = require_family<UViT>(model, where, "a U-ViT").config();
  if (config.uncertainty != UncertaintyForm::None && config.uncertainty != UncertaintyForm::Map) {
    raise<ModelError>({where + ": network.uncertainty",
                       "be none or map, the forms that the official files have",
                       "is " + to_string(config.uncertainty)});
  }
  if (config.heads_per_exit)
    raise<ModelError>({where + ": network.heads_per_exit",
                       "be false, since the official files share one head", "is true"});
  if (config.norm_per_exit)
    raise<ModelError>({where + ": network.norm_per_exit",
                       "be false, since the official files share one head", "is true"});
  if (config.patch_overlap != 0)
    raise<ModelError>({where + ": network.patch_overlap", "be 0, as in the official files",
                       "is " + show(config.patch_overlap)});
}

/// uem.K.weight is lte_classifer.K.lte.weight (the official spelling), of certainty: sigmoid(-z) is
/// 1 - sigmoid(z).
ForeignName official_name(const std::string& name) {
  if (!name.starts_with("uem.")) return {.parts = {name}};
  const auto dot = name.find('.', 4);
  return {.parts = {"lte_classifer." + name.substr(4, dot - 4) + ".lte" + name.substr(dot)},
          .negated = true};
}

}  // namespace

ForeignFamily uvit_family() {
  return {.name = "uvit",
          .about = "the official U-ViT and AdaDiff code",
          .anchor = "patch_embed.proj.weight",
          .describe = describe,
          .require_fits = require_fits,
          .names = [](const Model&, const ForeignTensors*) -> NameMap { return official_name; },
          .may_be_left = nullptr};
}

}  // namespace adadiff::detail
