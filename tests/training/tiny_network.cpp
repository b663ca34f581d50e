#include "training/tiny_network.h"

#include <stdexcept>

#include "core/kernel_status.h"
#include "kernels/noise.h"
#include "networks/label_table.h"

namespace adadiff::detail::test {

TinyNetwork::TinyNetwork(const TinyConfig& config) : config_(config) {
  const std::int64_t values = config.channels * config.height * config.width;
  const auto options = at::TensorOptions(config.type);
  for (int k = 0; k < config.blocks; ++k) {
    block_.push_back(at::zeros({values, values}, options));
    head_.push_back(at::zeros({values, values}, options));
    uem_.push_back(
        at::zeros({config.uncertainty == TinyUncertainty::Scalar ? 1 : values, values}, options));
  }
  time_ = at::zeros({values}, options);
  if (config.classes > 0) labels_ = at::zeros({config.classes, values}, options);
  info_.kind = "tiny";
  info_.blocks = config.blocks;
  info_.can_exit.assign(static_cast<std::size_t>(config.blocks), 1);
  info_.channels = config.channels;
  info_.height = config.height;
  info_.width = config.width;
  info_.classes = config.classes;
  info_.null_label = config.null_label;
}

std::unique_ptr<ForwardPass> TinyNetwork::new_pass(const PassOptions&) const {
  throw std::logic_error("the tiny network only trains");
}

std::vector<BlockOutput> TinyNetwork::outputs(const PassInputs& inputs, at::ScalarType) const {
  at::Tensor h = inputs.x.flatten(1) + (inputs.time / 1000).unsqueeze(1) * time_;  // [R, D]
  if (labels_.defined()) h = h + labels_.index({row_labels(inputs)});
  std::vector<BlockOutput> outputs;
  for (std::size_t k = 0; k < block_.size(); ++k) {
    h = h + at::linear(h, block_[k]).tanh();
    BlockOutput output;
    output.prediction = at::linear(h, head_[k]).view_as(inputs.x);
    const at::Tensor u = at::linear(config_.detaches_uem_input ? h.detach() : h, uem_[k]).sigmoid();
    if (config_.uncertainty == TinyUncertainty::Map) output.uncertainty = u.view_as(inputs.x);
    if (config_.uncertainty == TinyUncertainty::Scalar) output.uncertainty = u.squeeze(1);
    outputs.push_back(output);
  }
  return outputs;
}

ParameterRole TinyNetwork::role(const std::string& name) const {
  const std::string last = "blocks." + std::to_string(config_.blocks - 1) + ".head";
  if (name.ends_with(".uem")) return {.exit_source = "", .is_uncertainty = true};
  if (name.ends_with(".head") && name != last) return {.exit_source = last};
  return {.is_hidden_matrix = name.ends_with(".weight")};
}

void TinyNetwork::visit(const TensorVisitor& visitor) {
  for (std::size_t k = 0; k < block_.size(); ++k) {
    const std::string prefix = "blocks." + std::to_string(k) + ".";
    visitor(prefix + "weight", block_[k]);
    visitor(prefix + "head", head_[k]);
    if (config_.uncertainty != TinyUncertainty::None) visitor(prefix + "uem", uem_[k]);
  }
  visitor("time", time_);
  if (labels_.defined()) visitor("labels", labels_);
}

void TinyNetwork::initialise(std::uint64_t seed) {
  std::uint32_t number = 0;
  visit([&](const std::string&, at::Tensor& tensor) {
    std::vector<float> values(static_cast<std::size_t>(tensor.numel()));
    require_ok(kernels::fill_normal({seed, 0, 1000, number++}, values.data(), tensor.numel()),
               "fill_normal");
    const at::Tensor drawn = at::from_blob(values.data(), tensor.sizes(), at::kFloat)
                                 .to(config_.type);
    tensor.detach().copy_(drawn).mul_(0.3);
  });
}

std::shared_ptr<TinyNetwork> tiny_network(const TinyConfig& config, std::uint64_t seed) {
  auto network = std::make_shared<TinyNetwork>(config);
  network->initialise(seed);
  return network;
}

}  // namespace adadiff::detail::test
