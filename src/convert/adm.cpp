// The official names are ours; only the matrices of attention are stored as kernels of one cell.
#include "convert/adm.h"

#include <map>
#include <nlohmann/json.hpp>

#include "convert/official_form.h"
#include "convert/onnx_file.h"
#include "convert/tensor_facts.h"
#include "core/check.h"
#include "networks/unet/unet.h"

namespace adadiff::detail {
namespace {

using Json = nlohmann::ordered_json;

std::string block(const char* path, std::int64_t index) {
  return std::string(path) + std::to_string(index);
}

/// How a network goes up: by a convolution, by a residual layer, or, where neither has tensors, by
/// nothing.
struct Resampling {
  std::int64_t changes = 0;  ///< of resolution; there is one more level
  const char* name = "convolution";
};

Resampling resampling_of(const TensorFacts& facts, std::int64_t outputs, std::int64_t inputs) {
  Resampling found;
  for (std::int64_t i = 0; i < outputs; ++i) {
    const std::string path = block("output_blocks.", i);
    for (const char* layer : {".1", ".2"}) {
      const bool is_residual = facts.has(path + layer + ".in_layers.2.weight");
      if (is_residual) found.name = "residual";
      if (is_residual || facts.has(path + layer + ".conv.weight")) ++found.changes;
    }
  }
  if (found.changes > 0) return found;
  for (std::int64_t i = 0; i < inputs; ++i) {
    if (!facts.any_begins_with(block("input_blocks.", i) + ".")) ++found.changes;
  }
  if (found.changes > 0) found.name = "plain";
  return found;
}

Json describe_network(const ForeignModel& input) {
  const TensorFacts facts(input.weights);
  const std::int64_t width = facts.extent("input_blocks.0.0.weight", 0);
  const std::int64_t channels = facts.extent("input_blocks.0.0.weight", 1);
  const std::int64_t inputs = facts.count("input_blocks."), outputs = facts.count("output_blocks.");
  const Resampling resampling = resampling_of(facts, outputs, inputs);
  const std::int64_t levels = resampling.changes + 1, per_level = outputs / levels;
  if (width < 1 || inputs != outputs || outputs != levels * per_level || per_level < 2) {
    raise<ModelError>({input.weights.source,
                       "have as many input blocks as output blocks, the same number in each of " +
                           show(levels) + " levels",
                       "has " + show(inputs) + " and " + show(outputs)});
  }
  std::vector<std::int64_t> multipliers, attention_levels;
  for (std::int64_t level = 0; level < levels; ++level) {
    const std::string first = block("input_blocks.", 1 + level * per_level);
    multipliers.push_back(facts.extent(first + ".0.in_layers.2.weight", 0) / width);
    if (facts.has(first + ".1.qkv.weight")) attention_levels.push_back(level);
  }
  const std::int64_t out = facts.extent("middle_block.0.in_layers.2.weight", 0);
  const bool embeds_labels = facts.has("label_emb.weight");
  return {
      {"kind", "unet"},
      {"channels", channels},
      {"width", width},
      {"multipliers", multipliers},
      {"blocks_per_level", per_level - 1},
      {"attention_levels", attention_levels},
      {"middle_attention", facts.has("middle_block.1.qkv.weight")},
      {"heads_outermost", true},
      {"scale_shift", facts.extent("middle_block.0.emb_layers.1.weight", 0) == 2 * out},
      {"resampling", resampling.name},
      {"label_rows", embeds_labels ? facts.extent("label_emb.weight", 0) : 0},
      {"pooled_width", facts.has("label_emb.0.weight") ? facts.extent("label_emb.0.weight", 1) : 0},
      {"learned_variance", facts.extent("out.2.weight", 0) == 2 * channels},
      {"uncertainty", "none"}};
}

Json describe(const ForeignModel& input) {
  return {{"format", 1},
          {"network", describe_network(input)},
          {"exits", Json::array()},
          {"prediction", "noise"},
          {"schedule", {{"name", "ddpm-linear"}}},
          {"time", {{"scale", 1000}, {"shift", -1}}}};
}

void require_fits(const Model& model, const std::string& where) {
  require_no_exits(require_family<UNet>(model, where, "a UNet").config(), where);
}

/// The norms' names by the order in which the network applies them, which is that of its
/// parameters. Only norms have weights that are vectors.
std::map<std::string, std::string> unnamed_norms(const Model& model) {
  std::map<std::string, std::string> names;
  model.network->visit([&](const std::string& name, at::Tensor& tensor) {
    if (tensor.dim() == 1 && name.ends_with(".weight"))
      names.emplace(name.substr(0, name.rfind('.')),
                    std::string(kUnnamedNorm) + std::to_string(names.size()));
  });
  return names;
}

/// Old files keep the matrices of attention as kernels over a row of cells, the newest ones over a
/// plane. ONNX files leave norms without names.
NameMap names(const Model& model, const ForeignTensors* weights) {
  const bool has_unnamed = weights != nullptr &&
                           weights->contains(std::string(kUnnamedNorm) + "0.weight");
  const auto norms = has_unnamed ? unnamed_norms(model) : std::map<std::string, std::string>{};
  return [norms](const std::string& name) {
    const auto end = name.rfind('.');
    const auto norm = norms.find(name.substr(0, end));
    if (norm != norms.end()) return ForeignName{.parts = {norm->second + name.substr(end)}};
    const bool is_kernel = name.ends_with(".qkv.weight") || name.ends_with(".proj_out.weight");
    return ForeignName{.parts = {name}, .cells = is_kernel ? 1 : 0};
  };
}

}  // namespace

ForeignFamily adm_family() {
  return {.name = "adm",
          .about = "OpenAI's ADM, improved-diffusion and consistency_models code",
          .anchor = "input_blocks.0.0.weight",
          .describe = describe,
          .require_fits = require_fits,
          .names = names,
          .may_be_left = nullptr};
}

}  // namespace adadiff::detail
