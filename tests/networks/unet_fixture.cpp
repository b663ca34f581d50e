#include "networks/unet_fixture.h"

#include <cmath>

#include <ATen/CPUGeneratorImpl.h>

#include "core/fnv.h"

namespace adadiff::detail {
namespace {

/// A hash of an index, as in the script.
std::uint32_t mixed(std::uint32_t x) {
  x = (x ^ (x >> 16)) * 0x85EBCA6BU;
  x = (x ^ (x >> 13)) * 0xC2B2AE35U;
  return x ^ (x >> 16);
}

}  // namespace

UNetConfig unet_config(const std::string& json) {
  return parse_unet_config(JsonReader(json, "network"));
}

NetworkSettings unet_settings(const UNetConfig& config) {
  std::vector<std::uint8_t> exits(static_cast<std::size_t>(config.blocks()),
                                  config.heads_per_exit ? 1 : 0);
  exits[0] = 0;
  return {exits, config.label_rows - 1};
}

at::Tensor unet_weight(const std::string& name, at::IntArrayRef shape) {
  at::Tensor tensor = at::empty(shape);
  const bool is_norm = tensor.dim() == 1 && name.ends_with(".weight");
  const auto fan_in = static_cast<double>(tensor.numel()) / static_cast<double>(shape[0]);
  const double deviation = tensor.dim() == 1 ? 0.3 : 1 / std::sqrt(fan_in);
  auto* values = tensor.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    const std::uint32_t hash = mixed(static_cast<std::uint32_t>(i) * 2654435761U + fnv32(name));
    const double uniform = hash / 2147483648.0 - 1;
    values[i] = static_cast<float>(uniform * std::sqrt(3.0) * deviation + (is_norm ? 1 : 0));
  }
  return tensor;
}

std::shared_ptr<UNet> unet_with_weights(const UNetConfig& config) {
  auto network = std::make_shared<UNet>(config, unet_settings(config));
  network->visit([](const std::string& name, at::Tensor& tensor) {
    tensor.copy_(unet_weight(name, tensor.sizes()));
  });
  return network;
}

PassInputs UNetInputs::view() const {
  const bool has_conditions = labels.defined() || pooled.defined();
  if (has_conditions) entries = at::arange(x.size(0), at::kLong);
  return {x,
          time,
          entries,
          {.labels = labels.defined() ? &labels : nullptr,
           .pooled = pooled.defined() ? &pooled : nullptr}};
}

UNetInputs unet_inputs(const UNetConfig& c, std::int64_t rows) {
  auto generator = at::detail::createCPUGenerator(6);
  UNetInputs inputs;
  inputs.x = at::randn({rows, c.channels, c.image_height, c.image_width}, generator);
  inputs.time = at::rand({rows}, generator) * 1000;
  if (c.label_rows > 0) inputs.labels = at::randint(c.label_rows, {rows}, generator, at::kLong);
  if (c.pooled_width > 0) inputs.pooled = at::randn({rows, c.pooled_width}, generator);
  return inputs;
}

double relative_error(const at::Tensor& found, const at::Tensor& expected) {
  return (found - expected).abs().max().item<double>() / expected.abs().max().item<double>();
}

at::Tensor predict_rows(const ForwardPass& pass, const NetworkInfo& info, std::int64_t rows) {
  at::Tensor out = at::full({rows, info.out_channels(), info.height, info.width}, NAN);
  const at::Tensor all = at::arange(rows, at::kLong);
  pass.predict(all, all, out);
  return out;
}

}  // namespace adadiff::detail
