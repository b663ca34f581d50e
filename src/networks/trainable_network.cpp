// What trainable networks do unless they say otherwise.
#include <adadiff/trainable_network.h>

#include <ATen/ATen.h>

#include "core/check.h"
#include "device/device.h"

namespace adadiff {

void TrainableNetwork::move_to(const Device& device) {
  if (device == info().device) return;
  detail::raise<DeviceError>({"network \"" + info().kind + "\"",
                              "stay on " + to_string(info().device),
                              "is asked to move to " + to_string(device)});
}

ParameterRole TrainableNetwork::role(const std::string&) const { return {}; }

void move_parameters(TrainableNetwork& network, const Device& device) {
  const at::Device target = detail::torch_device(device);
  network.visit([&target](const std::string&, at::Tensor& tensor) {
    if (tensor.device() != target) tensor = tensor.detach().to(target);
  });
}

}  // namespace adadiff
