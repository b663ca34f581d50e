// Answers about networks from their descriptions, and networks made from them.
#include "networks/registry.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/names.h"
#include "networks/info_checks.h"
#include "networks/kinds.h"

namespace adadiff::detail {
namespace {

std::vector<std::uint8_t> exit_flags(const NetworkRequest& request, std::int64_t blocks) {
  const std::vector<int>& exits = request.exits;
  const bool has_all = exits.empty() && request.has_exits;
  std::vector<std::uint8_t> flags(static_cast<std::size_t>(blocks), has_all ? 1 : 0);
  flags[0] = 0;
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

std::shared_ptr<TrainableNetwork> make_own(const NetworkKind& kind, const std::string& description,
                                           const NetworkRequest& request) {
  const std::string where = "NetworkKind \"" + kind.name + "\"";
  if (!kind.blocks || !kind.make) raise({where, "have the functions blocks and make", "lacks one"});
  const int blocks = kind.blocks(description);
  require_range<ModelError>("network \"" + kind.name + "\": blocks", blocks, 1, kMostNetworkBlocks);
  const std::vector<std::uint8_t> exits = exit_flags(request, blocks);
  auto network = kind.make(description, {exits, request.null_label});
  if (!network || network->info().blocks != blocks) {
    raise<ModelError>({where, "make networks of " + show(blocks) + " blocks, as it says",
                       network ? "made one of " + show(network->info().blocks) : "made none"});
  }
  check_info(network->info());
  if (network->info().can_exit == exits && network->info().null_label == request.null_label)
    return network;
  raise<ModelError>({where, "make networks with the exits and the null label of its settings",
                     "made one with others"});
}

std::unique_ptr<NetworkDescription> describe_text(const std::string& json) {
  return describe_network(JsonReader(json, "network", {.error = JsonError::ModelError}));
}

}  // namespace

std::shared_ptr<TrainableNetwork> make_network(const JsonReader& json,
                                               const NetworkRequest& request) {
  const std::string name = json.field("kind").as_string(64);
  const auto own = std::find_if(request.kinds.begin(), request.kinds.end(),
                                [&name](const NetworkKind& kind) { return kind.name == name; });
  if (own != request.kinds.end()) return make_own(*own, json.value().dump(), request);
  const auto description = describe_network(json, names_in(request.kinds));
  if (const auto values = description->parameter_count();
      values > static_cast<double>(request.most_values)) {
    json.fail("describe a network of at most " + show(request.most_values) + " numbers here",
              "needs " + show(values));
  }
  return description->make({exit_flags(request, description->blocks()), request.null_label});
}

std::string whole_description(const std::string& json) {
  try {
    return describe_text(json)->json();
  } catch (const ModelError&) {
    return json;
  }
}

std::string description_with_exits(const std::string& json) {
  const auto description = describe_text(json)->with_exit_heads();
  if (description->uncertainty() != UncertaintyForm::None) return description->json();
  return description->with_uncertainty(UncertaintyForm::TimedMap)->json();
}

std::string uncertainty_of(const std::string& json) {
  try {
    return std::string(to_string(describe_text(json)->uncertainty()));
  } catch (const ModelError&) {
    return {};
  }
}

std::string description_with_uncertainty(const std::string& json, const std::string& form) {
  return describe_text(json)->with_uncertainty(parse_uncertainty_form(form, "uncertainty"))->json();
}

std::int64_t count_blocks(const JsonReader& json) { return describe_network(json)->blocks(); }

}  // namespace adadiff::detail
