// Checkpoints: four groups of tensors under prefixes, everything else as JSON in the metadata.
#include "training/checkpoint.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <nlohmann/json.hpp>

#include <array>
#include <set>
#include <utility>

#include "core/check.h"
#include "io/safetensors.h"
#include "pipeline/model_tensors.h"

namespace adadiff::detail {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kMetadataKey = "adadiff-checkpoint";
constexpr std::int64_t kFormat = 1;
/// Options that say where a training ends or what its file is called, not what its steps do.
const std::set<std::string> kFreeOptions = {"steps", "class_names", "license", "origin"};

/// All tensors of the state with their names in the file, in its order.
std::vector<std::pair<std::string, at::Tensor>> named_tensors(const TrainingState& state) {
  const std::array<std::pair<const char*, const std::vector<at::Tensor>*>, 4> groups = {{{"parameters.", &state.parameters.tensors},
                                                                                         {"average.", &state.averages},
                                                                                         {"moment1.", &state.first_moments},
                                                                                         {"moment2.", &state.second_moments}}};
  std::vector<std::pair<std::string, at::Tensor>> named;
  for (const auto& [prefix, tensors] : groups) {
    for (std::size_t i = 0; i < tensors->size(); ++i) named.emplace_back(prefix + state.parameters.names[i], (*tensors)[i].detach());
  }
  return named;
}

std::string to_text(const CheckpointFacts& facts) {
  const Json json = {{"format", kFormat},
                     {"step", facts.step},
                     {"simple_loss", facts.simple_loss},
                     {"options", Json::parse(facts.options)},
                     {"network", Json::parse(facts.network)}};
  return json.dump();
}

CheckpointFacts parse_facts(const SafetensorsFile& file, const std::string& path) {
  const auto text = file.metadata().find(kMetadataKey);
  if (text == file.metadata().end()) {
    raise<ModelError>({path, "be a checkpoint of a training", "has no metadata \"" + std::string(kMetadataKey) + "\""});
  }
  const Json json = Json::parse(text->second, nullptr, /*allow_exceptions=*/false);
  const bool is_whole = json.is_object() && json.contains("format") && json.contains("step") && json["step"].is_number_unsigned() &&
                        json.contains("simple_loss") && json["simple_loss"].is_number() && json.contains("options") &&
                        json["options"].is_object() && json.contains("network") && json["network"].is_object();
  if (!is_whole) raise<ModelError>({path, "hold format, step, simple_loss, options and network", "does not"});
  if (json["format"] != kFormat) {
    raise<ModelError>({path, "have format " + show(kFormat), "has " + show(json["format"].dump())});
  }
  return {json["step"].get<std::int64_t>(), json["simple_loss"].get<double>(), json["options"].dump(), json["network"].dump()};
}

/// The first option, by name, that differs and matters.
void require_same_options(const std::string& path, const Json& before, const Json& now) {
  for (const auto& [key, value] : now.items()) {
    if (kFreeOptions.contains(key)) continue;
    const auto old = before.find(key);
    const std::string found = old == before.end() ? "the checkpoint has none" : "it is " + value.dump();
    if (old == before.end() || *old != value) {
      raise({"TrainingOptions." + key, "be as in " + path + (old == before.end() ? "" : ", " + old->dump()), found,
             "keep it, or start afresh with another checkpoint"});
    }
  }
}

void require_same_training(const std::string& path, const CheckpointFacts& checkpoint, const CheckpointFacts& now) {
  require_same_options(path, Json::parse(checkpoint.options), Json::parse(now.options));
  if (Json::parse(checkpoint.network) != Json::parse(now.network)) {
    raise({"TrainingOptions.network", "be as in " + path + ", " + checkpoint.network, "it is " + now.network});
  }
  const auto steps = Json::parse(now.options)["steps"].get<std::int64_t>();
  if (checkpoint.step > steps) {
    raise({"TrainingOptions.steps", "be at least the checkpoint's " + show(checkpoint.step), "is " + show(steps)});
  }
}

}  // namespace

void write_checkpoint(const std::string& path, const TrainingState& state, const CheckpointFacts& facts) {
  save_tensors(path, {{kMetadataKey, to_text(facts)}}, named_tensors(state));
}

CheckpointFacts read_checkpoint(const std::string& path, const TrainingState& state, const CheckpointFacts& now) {
  const at::NoGradGuard no_gradient;
  const auto file = SafetensorsFile::open(path);
  CheckpointFacts facts = parse_facts(file, path);
  require_same_training(path, facts, now);
  const auto named = named_tensors(state);
  std::vector<at::Tensor> values;
  for (const auto& [name, tensor] : named) values.push_back(load_tensor(file, name, tensor.sizes(), path));
  for (std::size_t i = 0; i < named.size(); ++i) named[i].second.copy_(values[i]);
  return facts;
}

}  // namespace adadiff::detail
