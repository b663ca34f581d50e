// The official names are ours.
#include "convert/dit.h"

#include <nlohmann/json.hpp>

#include "convert/official_form.h"
#include "convert/tensor_facts.h"
#include "core/check.h"
#include "networks/dit/dit.h"

namespace adadiff::detail {
namespace {

using Json = nlohmann::ordered_json;

Json describe_network(const ForeignModel& input) {
  const TensorFacts facts(input.weights);
  const std::int64_t width = facts.extent("x_embedder.proj.weight", 0);
  const std::int64_t channels = facts.extent("x_embedder.proj.weight", 1);
  const std::int64_t patch = facts.extent("x_embedder.proj.weight", 2);
  const std::int64_t values = facts.extent("final_layer.linear.weight", 0);
  const bool has_labels = facts.has("y_embedder.embedding_table.weight");
  return {{"kind", "dit"},
          {"image_size", facts.square_side(facts.extent("pos_embed", 1), "pos_embed") * patch},
          {"channels", channels},
          {"patch_size", patch},
          {"width", width},
          {"depth", facts.count("blocks.")},
          {"heads", published_heads(width)},
          {"mlp_ratio", facts.mlp_ratio("blocks.0.mlp.fc1.weight", width)},
          {"label_rows", has_labels ? facts.extent("y_embedder.embedding_table.weight", 0) : 0},
          {"time_frequencies", facts.extent("t_embedder.mlp.0.weight", 1)},
          {"learned_variance", values == 2 * channels * patch * patch},
          {"uncertainty", "none"}};
}

void add_labels(Json& description) {
  const auto rows = description["network"]["label_rows"].get<std::int64_t>();
  if (rows > 0) description["labels"]["null"] = rows - 1;
}

Json describe_dit(const ForeignModel& input) {
  Json description = {{"format", 1},
                      {"network", describe_network(input)},
                      {"prediction", "noise"},
                      {"schedule", {{"name", "ddpm-linear"}}},
                      {"time", {{"scale", 1000}, {"shift", -1}}}};
  add_labels(description);
  // The official sampler guides the first three of the four channels of latents.
  if (description["network"]["channels"] == 4) description["guided_channels"] = 3;
  return description;
}

/// SiT's own time runs from noise at 0 to data at 1.
Json describe_sit(const ForeignModel& input) {
  Json description = {{"format", 1},
                      {"network", describe_network(input)},
                      {"prediction", "flow-to-data"},
                      {"schedule", {{"name", "linear-flow"}}},
                      {"time", {{"scale", -1}, {"shift", 1}}}};
  add_labels(description);
  return description;
}

void require_fits(const Model& model, const std::string& where) {
  require_no_exits(require_family<DiT>(model, where, "a DiT").config(), where);
}

NameMap same_names(const Model& /*model*/, const ForeignTensors* /*weights*/) {
  return [](const std::string& name) { return ForeignName{.parts = {name}}; };
}

}  // namespace

ForeignFamily dit_family() {
  return {.name = "dit",
          .about = "the official DiT code",
          .anchor = "x_embedder.proj.weight",
          .describe = describe_dit,
          .require_fits = require_fits,
          .names = same_names,
          .may_be_left = nullptr};
}

ForeignFamily sit_family() {
  ForeignFamily family = dit_family();
  family.name = "sit";
  family.about = "the official SiT code, whose tensors are those of dit: it has to be named";
  family.describe = describe_sit;
  return family;
}

}  // namespace adadiff::detail
