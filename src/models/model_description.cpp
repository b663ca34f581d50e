// Reads and writes the JSON description of a model file.
#include "models/model_description.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include <utility>

#include "core/check.h"
#include "diffusion/prediction.h"
#include "io/json_reader.h"
#include "networks/registry.h"

namespace adadiff::detail {
namespace {

constexpr int kFormat = 1;
using Json = nlohmann::ordered_json;

SchedulePtr parse_schedule(const JsonReader& json) {
  ScheduleParameters parameters;
  for (const auto& [key, value] : json.members(16)) {
    if (key != "name") parameters.emplace_back(key, value.as_double(-1e9, 1e9));
  }
  try {
    return find_schedule(json.field("name").as_string(64), parameters);
  } catch (const InvalidArgument& error) {
    throw ModelError(json.source() + ": " + json.path() + ": " + error.what());
  }
}

void parse_time(const JsonReader& json, Process& process) {
  json.allow_only({"embeds", "scale", "shift"});
  if (const auto embeds = json.optional("embeds"))
    process.embeds = named_value(*embeds, kTimeEmbeddings);
  process.time_scale = json.field("scale").as_double(-1e9, 1e9);
  if (std::abs(process.time_scale) < 1e-6) json.field("scale").fail("be at least 1e-6 from 0");
  if (const auto shift = json.optional("shift")) process.time_shift = shift->as_double(-1e9, 1e9);
}

TokenShift parse_token_shift(const JsonReader& json) {
  constexpr std::int64_t kMost = 1'000'000'000;
  json.allow_only({"base_shift", "max_shift", "base_tokens", "max_tokens", "token_size", "type"});
  TokenShift rule;
  rule.base_shift = json.field("base_shift").as_double(-100, 100);
  rule.max_shift = json.field("max_shift").as_double(-100, 100);
  rule.base_tokens = json.field("base_tokens").as_int(1, kMost - 1);
  rule.max_tokens = json.field("max_tokens").as_int(rule.base_tokens + 1, kMost);
  rule.token_size = json.field("token_size").as_int(1, kMost);
  if (const auto type = json.optional("type")) rule.type = named_value(*type, kShiftTypes);
  return rule;
}

/// One shift, or the rule that gives one for the network's images.
void parse_grid_shift(const JsonReader& json, const NetworkInfo& info, Process& process) {
  if (!json.is_object()) {
    process.grid_shift = json.as_double(0.01, 100);
    return;
  }
  process.token_shift = parse_token_shift(json);
  try {
    process.fit_grid_shift(info.height, info.width);
  } catch (const InvalidArgument& error) {
    throw ModelError(json.source() + ": " + json.path() + ": " + error.what());
  }
}

void parse_range(const JsonReader& json, Process& process) {
  const auto ends = json.elements(2);
  if (ends.size() != 2) json.fail("have two numbers, the smallest and the largest value");
  process.image_min = static_cast<float>(ends[0].as_double(-1e6, 1e6));
  process.image_max = static_cast<float>(ends[1].as_double(-1e6, 1e6));
  if (!(process.image_min < process.image_max)) json.fail("have the smaller number first");
}

/// Labels as the file counts them: real classes, the null label, names.
struct Labels {
  std::int64_t null_label = -1;
  std::vector<std::string> names;
};

Labels parse_labels(const JsonReader& json) {
  json.allow_only({"null", "names"});
  Labels labels;
  if (const auto null_label = json.optional("null"))
    labels.null_label = null_label->as_int(0, 1'000'000);
  if (const auto names = json.optional("names")) {
    for (const auto& name : names->elements(1'000'000))
      labels.names.push_back(name.as_string(kMostClassName));
  }
  return labels;
}

void check_labels(const Labels& labels, const NetworkInfo& info, const JsonReader& json) {
  if (labels.null_label >= 0 && labels.null_label != info.classes - 1) {
    json.field("labels").field("null").fail(
        "be the last row of the label embedding, network.label_rows - 1 = " +
        show(info.classes - 1));
  }
  if (static_cast<std::int64_t>(labels.names.size()) > info.classes) {
    json.field("labels").field("names").fail(
        "have at most network.label_rows = " + show(info.classes) + " entries",
        "has " + show(static_cast<std::int64_t>(labels.names.size())));
  }
}

SolverSettings parse_solver(const JsonReader& json) {
  // A solver object reads the same here and in a plan.
  const auto plan = parse_plan(R"({"format":1,"rules":[{}],"solver":)" + json.value().dump() + "}",
                               json.source());
  return *plan.solver;
}

std::vector<int> parse_exits(const JsonReader& json) {
  std::vector<int> exits;
  for (const auto& exit : json.elements(256))
    exits.push_back(static_cast<int>(exit.as_int(0, 255)));
  return exits;
}

void check_format(const JsonReader& json) {
  const auto format = json.field("format").as_int(1, 1'000'000);
  if (format > kFormat) {
    throw ModelError(json.source() + ": format " + show(format) + " is newer than " +
                     show(kFormat) + ", the newest this build reads; update adadiff");
  }
}

void parse_process(const JsonReader& json, const NetworkInfo& info, Process& process) {
  process.prediction = named_value(json.field("prediction"), kPredictions);
  process.schedule = parse_schedule(json.field("schedule"));
  parse_time(json.field("time"), process);
  if (const auto shift = json.optional("grid_shift")) parse_grid_shift(*shift, info, process);
  if (const auto range = json.optional("image_range")) parse_range(*range, process);
  if (const auto deviation = json.optional("data_std"))
    process.data_std = deviation->as_double(1e-6, 1e6);
}

void parse_sampler(const JsonReader& json, const NetworkInfo& info, SamplerModel& sampler) {
  parse_process(json, info, sampler.process);
  if (const auto guidance = json.optional("guidance"))
    sampler.default_guidance = guidance->as_double(0, 100);
  if (const auto guided = json.optional("guided_channels"))
    sampler.guided_channels = guided->as_int(1, 1'000'000);
  if (const auto solver = json.optional("solver")) sampler.solver = parse_solver(*solver);
  if (const auto plan = json.optional("default_plan"))
    sampler.default_plan = parse_plan(plan->value().dump(), plan->source() + ": default_plan");
  if (const auto id = json.optional("id")) sampler.id = id->as_string(128);
}

void parse_origin(const JsonReader& json, Model& model) {
  if (const auto license = json.optional("license")) model.license = license->as_string(kMostText);
  if (const auto origin = json.optional("origin")) model.origin = origin->as_string(kMostText);
  if (const auto training = json.optional("training")) model.training = training->value().dump();
}

Model parse_checked(const JsonReader& json, std::int64_t most_values,
                    std::span<const NetworkKind> kinds) {
  json.allow_only({"format", "network", "exits", "prediction", "schedule", "time", "grid_shift",
                   "image_range", "data_std", "labels", "guidance", "guided_channels", "solver",
                   "default_plan", "decoder", "id", "license", "origin", "training"});
  check_format(json);
  if (const auto decoder = json.optional("decoder")) {
    if (decoder->as_string(64) != "none") decoder->fail("be none in this build");
  }
  Model model;
  const auto labels = json.optional("labels") ? parse_labels(json.field("labels")) : Labels{};
  const auto exits = json.optional("exits") ? parse_exits(json.field("exits")) : std::vector<int>{};
  const bool has_exits = !json.optional("exits") || !exits.empty();
  model.network = make_network(json.field("network"),
                               {exits, has_exits, labels.null_label, most_values, kinds});
  check_labels(labels, model.network->info(), json);
  model.class_names = labels.names;
  parse_sampler(json, model.network->info(), model.sampler);
  parse_origin(json, model);
  return model;
}

Json schedule_to_json(const NoiseSchedule& schedule) {
  Json json = {{"name", schedule.name()}};
  for (const auto& [name, value] : schedule.parameters()) json[name] = value;
  return json;
}

Json token_shift_to_json(const TokenShift& rule) {
  return {{"base_shift", rule.base_shift},   {"max_shift", rule.max_shift},
          {"base_tokens", rule.base_tokens}, {"max_tokens", rule.max_tokens},
          {"token_size", rule.token_size},   {"type", name_of(kShiftTypes, rule.type)}};
}

Json exits_to_json(const NetworkInfo& info) {
  Json exits = Json::array();
  for (int exit = 0; exit < info.blocks; ++exit) {
    if (info.can_exit[static_cast<std::size_t>(exit)]) exits.push_back(exit);
  }
  return exits;
}

Json identity(const Model& model) {
  const auto& process = model.sampler.process;
  const auto& info = model.network->info();
  Json json = {{"format", kFormat}, {"network", Json::parse(model.network->config_json())}};
  if (info.blocks > 1) json["exits"] = exits_to_json(info);
  json["prediction"] = name_of(kPredictions, process.prediction);
  json["schedule"] = schedule_to_json(*process.schedule);
  if (process.embeds != TimeEmbedding::Time)
    json["time"]["embeds"] = name_of(kTimeEmbeddings, process.embeds);
  json["time"]["scale"] = process.time_scale;
  json["time"]["shift"] = process.time_shift;
  if (process.token_shift) {
    json["grid_shift"] = token_shift_to_json(*process.token_shift);
  } else if (process.grid_shift != 1) {
    json["grid_shift"] = process.grid_shift;
  }
  json["image_range"] = {process.image_min, process.image_max};
  json["data_std"] = process.data_std;
  json["decoder"] = "none";
  if (info.null_label >= 0) json["labels"]["null"] = info.null_label;
  return json;
}

}  // namespace

Model parse_description(std::string_view json, const std::string& source, std::int64_t most_values,
                        std::span<const NetworkKind> kinds) {
  const JsonReader root(json, source, {.error = JsonError::ModelError});
  try {
    return parse_checked(root, most_values, kinds);
  } catch (const InvalidArgument& error) {
    throw ModelError(error.what());
  }
}

std::string identity_json(const Model& model) { return identity(model).dump(); }

std::string to_json(const Model& model) {
  auto json = identity(model);
  const auto& sampler = model.sampler;
  if (!model.class_names.empty()) json["labels"]["names"] = model.class_names;
  json["guidance"] = sampler.default_guidance;
  if (sampler.guided_channels != 0) json["guided_channels"] = sampler.guided_channels;
  Plan settings_only;
  settings_only.solver = sampler.solver;
  json["solver"] = Json::parse(to_json(settings_only)).at("solver");
  if (sampler.default_plan != Plan{})
    json["default_plan"] = Json::parse(to_json(sampler.default_plan));
  json["id"] = sampler.id;
  json["license"] = model.license;
  json["origin"] = model.origin;
  if (!model.training.empty()) json["training"] = Json::parse(model.training);
  return json.dump();
}

}  // namespace adadiff::detail
