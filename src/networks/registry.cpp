// Makes networks from their descriptions.
#include "networks/registry.h"

#include "core/check.h"
#include "networks/uvit/uvit.h"

namespace adadiff::detail {
namespace {

std::vector<std::uint8_t> exit_flags(const std::vector<int>& exits, std::int64_t blocks) {
  std::vector<std::uint8_t> flags(static_cast<std::size_t>(blocks), exits.empty() ? 1 : 0);
  if (exits.empty()) flags[0] = 0;
  for (const int exit : exits) {
    if (exit < 0 || exit >= blocks) {
      raise<ModelError>({"exits",
                         "be in [0, " + show(blocks - 1) + "], the places before the last of " +
                             show(blocks) + " blocks",
                         "one is " + show(exit)});
    }
    flags[static_cast<std::size_t>(exit)] = 1;
  }
  return flags;
}

UViTConfig config_of(const JsonReader& json) {
  const auto kind = json.field("kind");
  if (kind.as_string(64) != "uvit") kind.fail("be one of the networks of this build: uvit");
  return parse_uvit_config(json);
}

}  // namespace

std::shared_ptr<TrainableNetwork> make_network(const JsonReader& json,
                                               const NetworkRequest& request) {
  const auto config = config_of(json);
  if (const auto values = config.parameter_count();
      values > static_cast<double>(request.most_values)) {
    json.fail("describe a network of at most " + show(request.most_values) + " numbers here",
              "needs " + show(values));
  }
  return std::make_shared<UViT>(
      config, NetworkSettings{exit_flags(request.exits, config.blocks()), request.null_label});
}

std::string whole_description(const std::string& json) {
  try {
    return to_json(config_of(JsonReader(json, "network", {.error = JsonError::ModelError})));
  } catch (const ModelError&) {
    return json;
  }
}

std::string description_with_exits(const std::string& json) {
  UViTConfig config = config_of(JsonReader(json, "network"));
  config.heads_per_exit = !config.norm_per_exit;
  if (config.uncertainty == UncertaintyForm::None) config.uncertainty = UncertaintyForm::TimedMap;
  return to_json(config);
}

std::string uncertainty_of(const std::string& json) {
  return std::string(to_string(config_of(JsonReader(json, "network")).uncertainty));
}

std::string description_with_uncertainty(const std::string& json, const std::string& form) {
  UViTConfig config = config_of(JsonReader(json, "network"));
  config.uncertainty = parse_uncertainty_form(form, "uncertainty");
  return to_json(config);
}

std::int64_t count_blocks(const JsonReader& json) { return config_of(json).blocks(); }

}  // namespace adadiff::detail
