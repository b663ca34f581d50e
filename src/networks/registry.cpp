// Makes networks from their descriptions.
#include "networks/registry.h"

#include "core/check.h"
#include "networks/uvit.h"

namespace adadiff::detail {
namespace {

std::vector<std::uint8_t> exit_flags(const std::vector<int>& exits, std::int64_t blocks) {
  std::vector<std::uint8_t> flags(static_cast<std::size_t>(blocks), exits.empty() ? 1 : 0);
  if (exits.empty()) flags[0] = 1;
  for (const int exit : exits) {
    if (exit < 0 || exit >= blocks) {
      raise<ModelError>({"exits", "be in [0, " + show(blocks - 1) + "], the places before the last of " + show(blocks) + " blocks",
                         "one is " + show(exit)});
    }
    flags[static_cast<std::size_t>(exit)] = 1;
  }
  return flags;
}

}  // namespace

std::shared_ptr<TrainableNetwork> make_network(const JsonReader& json, const std::vector<int>& exits, std::int64_t null_label) {
  const auto kind = json.field("kind");
  const auto name = kind.as_string(64);
  if (name != "uvit") kind.fail("be one of the networks of this build: uvit");
  const auto config = parse_uvit_config(json);
  return std::make_shared<UViT>(config, NetworkSettings{exit_flags(exits, config.blocks()), null_label});
}

}  // namespace adadiff::detail
