// Recognises a checkpoint, describes it, fills a network from it, and writes it back.
#include "convert/families.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "convert/adm.h"
#include "convert/diffusers_folder.h"
#include "convert/diffusers_unet.h"
#include "convert/dit.h"
#include "convert/uvit.h"
#include "core/check.h"
#include "core/names.h"
#include "io/json_reader.h"
#include "models/model_description.h"
#include "models/model_tensors.h"

namespace adadiff::detail {
namespace {

const ForeignFamily& family_of(const ForeignModel& input, const std::string& name) {
  const auto& families = foreign_families();
  if (!name.empty()) return require_named(families, name, "--from");
  for (const ForeignFamily& family : families) {
    const std::string wrapped = std::string(".").append(family.anchor);
    for (const auto& [tensor, about] : input.weights.tensors) {
      if (tensor == family.anchor || tensor.ends_with(wrapped)) return family;
    }
  }
  std::string anchors;
  for (const ForeignFamily& family : families)
    anchors += (anchors.empty() ? "" : ", ") + show(std::string(family.anchor));
  const std::string first = input.weights.tensors.empty()
                                ? "holds no tensors"
                                : "its first tensor is " +
                                      show(input.weights.tensors.begin()->first);
  raise<ModelError>({input.weights.source,
                     "hold the weights of " + joined(names_in(families)) +
                         ", which a tensor tells that is called one of " + anchors,
                     first});
}

/// Replaces members, within objects too; null takes a member away.
void merge(nlohmann::ordered_json& into, const nlohmann::json& facts) {
  for (const auto& [key, value] : facts.items()) {
    if (value.is_null()) {
      into.erase(key);
    } else if (value.is_object() && into.contains(key) && into[key].is_object()) {
      merge(into[key], value);
    } else {
      into[key] = value;
    }
  }
}

nlohmann::ordered_json with_facts(nlohmann::ordered_json description, const std::string& facts,
                                  const std::string& source) {
  if (facts.empty()) return description;
  const JsonReader reader(facts, source, {.error = JsonError::ModelError});
  if (!reader.is_object()) reader.fail("be a JSON object");
  const nlohmann::json& given = reader.value();
  // A schedule is one fact: the numbers of another one mean nothing to it.
  for (const char* whole : {"schedule", "time", "grid_shift"}) {
    if (given.contains(whole)) description.erase(whole);
  }
  merge(description, given);
  return description;
}

}  // namespace

const std::vector<ForeignFamily>& foreign_families() {
  static const std::vector<ForeignFamily> families = {uvit_family(), dit_family(), sit_family(),
                                                      adm_family(), diffusers_unet_family()};
  return families;
}

ForeignModel read_foreign_model(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return read_diffusers_folder(path);
  return {read_foreign_weights(path), {}, {}};
}

Converted import_foreign(const std::string& path, const std::string& family,
                         const std::string& facts, const std::string& facts_source) {
  ForeignModel input = read_foreign_model(path);
  const ForeignFamily& own = family_of(input, family);
  input.weights = unwrapped(std::move(input.weights), own.anchor);
  const auto description = with_facts(own.describe(input), facts, facts_source);
  // A network of about the size of the file, so that a wrong number is named and not refused whole.
  constexpr std::int64_t kSlack = 1'000'000;
  const std::int64_t most_values = 2 * count_values(input.weights) + kSlack;
  const std::string source = facts.empty() ? path + " (as " + own.name + ")" : facts_source;
  Converted made{parse_description(description.dump(), source, most_values), &own,
                 input.weights.taken_from};
  own.require_fits(made.model, source);
  fill_network(*made.model.network, input.weights, own.names(made.model, &input.weights.tensors),
               own.may_be_left);
  return made;
}

void export_foreign(const std::string& model_path, const std::string& family,
                    const std::string& weights_path) {
  const ForeignFamily& own = require_named(foreign_families(), family, "--to");
  const Model model = read_model(model_path);
  own.require_fits(model, model_path);
  save_tensors(weights_path, {{"format", "pt"}},
               foreign_tensors(*model.network, own.names(model, nullptr)));
}

}  // namespace adadiff::detail
