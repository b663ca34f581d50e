// What is known of a U-ViT before it is made.
#include "networks/config_description.h"
#include "networks/kinds.h"
#include "networks/uvit/uvit.h"
#include "networks/uvit/uvit_layout.h"

namespace adadiff::detail {

std::unique_ptr<NetworkDescription> describe_uvit(const JsonReader& json) {
  return std::make_unique<ConfigDescription<UViTConfig, UViT>>(parse_uvit_config(json));
}

}  // namespace adadiff::detail
