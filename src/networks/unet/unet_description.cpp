// What is known of a UNet before it is made.
#include "networks/config_description.h"
#include "networks/kinds.h"
#include "networks/unet/unet.h"

namespace adadiff::detail {

std::unique_ptr<NetworkDescription> describe_unet(const JsonReader& json) {
  return std::make_unique<ConfigDescription<UNetConfig, UNet>>(parse_unet_config(json));
}

}  // namespace adadiff::detail
