// Checkpoints: four groups of tensors under prefixes, everything else as JSON in the metadata.
#include "training/checkpoint.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <nlohmann/json.hpp>

#include <array>
#include <cstddef>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "core/check.h"
#include "io/checksum.h"
#include "io/json_reader.h"
#include "io/safetensors.h"
#include "models/model_description.h"
#include "models/model_tensors.h"
#include "networks/registry.h"

namespace adadiff::detail {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kMetadataKey = "adadiff-checkpoint";
constexpr const char* kChecksumKey = "adadiff-checkpoint-crc32";
constexpr std::int64_t kFormat = 1;
constexpr std::size_t kMostShown = 300;  // bytes of a value in a message
/// Options that a resume may change: the names in the model file, which no step reads, and the
/// length, so that a training can be made longer. A cosine decay depends on the length, so after
/// such a resume the steps differ from those of a training that had this length from the start.
const std::set<std::string> kFreeOptions = {"steps", "class_names", "license", "origin"};

constexpr const char*
    kAdvice = "move it away and start afresh, from the model file if its images are good";

/// All tensors of the state with their names in the file, in the order of the file.
std::vector<std::pair<std::string, at::Tensor>> named_tensors(const TrainingState& state) {
  const std::array<std::pair<const char*, const std::vector<at::Tensor>*>, 4> groups = {
      {{"parameters.", &state.parameters.tensors},
       {"average.", &state.averages},
       {"moment1.", &state.first_moments},
       {"moment2.", &state.second_moments}}};
  std::vector<std::pair<std::string, at::Tensor>> named;
  for (const auto& [prefix, tensors] : groups) {
    for (std::size_t i = 0; i < tensors->size(); ++i) {
      if ((*tensors)[i].defined())
        named.emplace_back(prefix + state.parameters.names[i], (*tensors)[i].detach());
    }
  }
  return named;
}

std::string to_text(const CheckpointFacts& facts) {
  Json json = {{"format", kFormat},
               {"step", facts.step},
               {"simple_loss", facts.simple_loss},
               {"options", Json::parse(facts.options)},
               {"network", Json::parse(facts.network)}};
  if (!facts.base.empty()) json["base"] = facts.base;
  if (!facts.images.empty()) json["images"] = facts.images;
  return json.dump();
}

/// The checksum of the facts and of all tensors in the order of their names.
std::string checksum_of(const std::string& facts,
                        const std::map<std::string, std::span<const std::byte>>& tensors) {
  std::uint32_t checksum = checksum_with(0, std::as_bytes(std::span(facts)));
  for (const auto& [name, bytes] : tensors) {
    checksum = checksum_with(checksum, std::as_bytes(std::span(name)));
    checksum = checksum_with(checksum, bytes);
  }
  return show(std::int64_t{checksum});
}

/// Raises where the checksum does not match. Checkpoints of earlier versions have none.
void require_undamaged(const SafetensorsFile& file, const std::string& path) {
  const auto known = file.metadata().find(kChecksumKey);
  const auto facts = file.metadata().find(kMetadataKey);
  if (known == file.metadata().end() || facts == file.metadata().end()) return;
  std::map<std::string, std::span<const std::byte>> tensors;
  for (const TensorView& tensor : file.tensors()) tensors.emplace(tensor.name, tensor.bytes);
  if (checksum_of(facts->second, tensors) == known->second) return;
  raise<ModelError>({path, "be as it was written", "its checksum says that it is damaged"});
}

SafetensorsFile open_undamaged(const std::string& path) {
  try {
    auto file = SafetensorsFile::open(path);
    require_undamaged(file, path);
    return file;
  } catch (const ModelError& error) {
    throw ModelError(std::string(error.what()) + "; " + kAdvice);
  }
}

std::string object_text(const JsonReader& json) {
  if (!json.is_object()) json.fail("be an object");
  return json.value().dump();
}

ModelTexts parse_texts(const JsonReader& options) {
  ModelTexts texts;
  if (const auto names = options.optional("class_names")) {
    for (const JsonReader& name : names->elements(1 << 20))
      texts.class_names.push_back(name.as_string(kMostClassName));
  }
  if (const auto license = options.optional("license"))
    texts.license = license->as_string(kMostText);
  if (const auto origin = options.optional("origin")) texts.origin = origin->as_string(kMostText);
  return texts;
}

CheckpointFacts parse_facts(const SafetensorsFile& file, const std::string& path) {
  const auto text = file.metadata().find(kMetadataKey);
  if (text == file.metadata().end()) {
    raise<ModelError>({path, "be a checkpoint of a training",
                       "has no metadata \"" + std::string(kMetadataKey) + "\""});
  }
  const JsonReader json(text->second, path, {.error = JsonError::ModelError});
  const JsonReader format = json.field("format");
  if (format.as_int(0, kMostSteps) != kFormat)
    format.fail("be " + show(kFormat) + ", the one that this build reads");
  CheckpointFacts facts;
  facts.step = json.field("step").as_int(0, kMostSteps);
  facts.simple_loss = json.field("simple_loss").as_double(0, std::numeric_limits<double>::max());
  facts.options = object_text(json.field("options"));
  facts.texts = parse_texts(json.field("options"));
  facts.network = object_text(json.field("network"));
  if (const auto base = json.optional("base")) facts.base = base->as_string(128);
  if (const auto images = json.optional("images")) facts.images = images->as_string(128);
  return facts;
}

/// A value as a message shows it.
std::string show_json(const Json& value) {
  const std::string text = value.dump(-1, ' ', /*ensure_ascii=*/true);
  return text.size() <= kMostShown ? text : text.substr(0, kMostShown) + "...";
}

/// Adds options that an older checkpoint does not have, mostly with their defaults.
void complete(Json& options) {
  Json defaults = Json::parse(to_json(TrainingOptions{}));
  defaults["optimiser"] = "adamw";  // older versions had no other
  // Older versions had no separate rate for UEMs.
  if (options.contains("learning_rate"))
    defaults["uncertainty_learning_rate"] = options["learning_rate"];
  for (const auto& [key, value] : defaults.items()) {
    if (!options.contains(key)) options[key] = value;
  }
}

/// Refuses the first option, by name, that differs and matters.
void require_same_options(const std::string& path, Json before, const Json& now) {
  complete(before);
  for (const auto& [key, value] : before.items()) {
    if (!now.contains(key))
      raise<ModelError>({path, "hold options that this build knows", "holds " + show(key),
                         "resume with its version"});
  }
  for (const auto& [key, value] : now.items()) {
    if (kFreeOptions.contains(key)) continue;
    const auto old = before.find(key);
    if (*old == value) continue;
    raise({"TrainingOptions." + key, "be as in " + path + ", " + show_json(*old),
           "it is " + show_json(value), "keep it, or start afresh with another checkpoint"});
  }
}

void require_same_training(const std::string& path, const CheckpointFacts& checkpoint,
                           const CheckpointFacts& now) {
  require_same_options(path, Json::parse(checkpoint.options), Json::parse(now.options));
  // The fields may be in any order, and a checkpoint of an earlier version lacks fields that came
  // later.
  const auto before = nlohmann::json::parse(whole_description(checkpoint.network)),
             after = nlohmann::json::parse(now.network);
  if (before != after) {
    raise({"TrainingOptions.network", "be as in " + path + ", " + show_json(before),
           "it is " + show_json(after)});
  }
  if (checkpoint.base != now.base) {
    const auto shown = [](const std::string& base) {
      return base.empty() ? std::string("none") : show(base);
    };
    raise({"TrainingOptions.from",
           "be the model that " + path + " started from, " + shown(checkpoint.base),
           "is " + shown(now.base)});
  }
  if (!checkpoint.images.empty() && checkpoint.images != now.images) {
    raise({"TrainingOptions.images",
           "be the images that " + path + " was trained on, " + checkpoint.images,
           "are " + now.images, "put them back, or start afresh from the model"});
  }
  const auto steps = Json::parse(now.options)["steps"].get<std::int64_t>();
  if (checkpoint.step > steps) {
    raise({"TrainingOptions.steps", "be at least the checkpoint's " + show(checkpoint.step),
           "is " + show(steps)});
  }
}

}  // namespace

void write_checkpoint(const std::string& path, const TrainingState& state,
                      const CheckpointFacts& facts) {
  auto tensors = named_tensors(state);
  std::map<std::string, std::span<const std::byte>> bytes;
  for (auto& [name, tensor] : tensors) {
    tensor = tensor.cpu().contiguous();
    bytes.emplace(
        name, std::span(static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()));
  }
  const std::string text = to_text(facts);
  save_tensors(path, {{kMetadataKey, text}, {kChecksumKey, checksum_of(text, bytes)}}, tensors);
}

CheckpointFacts read_checkpoint(const std::string& path, const TrainingState& state,
                                const CheckpointFacts& now) {
  const at::NoGradGuard no_gradient;
  const auto file = open_undamaged(path);
  CheckpointFacts facts = parse_facts(file, path);
  require_same_training(path, facts, now);
  const auto named = named_tensors(state);
  std::vector<at::Tensor> values;
  values.reserve(named.size());
  for (const auto& [name, tensor] : named)
    values.push_back(load_tensor(file, name, tensor.sizes(), path));
  if (file.tensors().size() != named.size()) {
    raise<ModelError>({path, "have " + show(std::ssize(named)) + " tensors",
                       "has " + show(std::ssize(file.tensors())),
                       "is it the checkpoint of another training?"});
  }
  for (std::size_t i = 0; i < named.size(); ++i) named[i].second.copy_(values[i]);
  return facts;
}

}  // namespace adadiff::detail
