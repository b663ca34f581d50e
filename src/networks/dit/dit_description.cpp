// What is known of a DiT before it is made.
#include "networks/config_description.h"
#include "networks/dit/dit.h"
#include "networks/kinds.h"

namespace adadiff::detail {

std::unique_ptr<NetworkDescription> describe_dit(const JsonReader& json) {
  return std::make_unique<ConfigDescription<DiTConfig, DiT>>(parse_dit_config(json));
}

}  // namespace adadiff::detail
