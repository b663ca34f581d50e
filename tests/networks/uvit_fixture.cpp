// Reads golden files by a reader of its own, so that a fault in ours cannot hide a fault in the
// network.
#include "networks/uvit_fixture.h"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <nlohmann/json.hpp>

namespace adadiff::testing {
namespace {

using Json = nlohmann::json;

// Matrices this small only lose by being shared out, and ctest runs many tests at once.
[[maybe_unused]] const bool kOneThread = (at::set_num_threads(1), true);

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

at::Tensor to_tensor(const Json& entry, const char* numbers) {
  const bool whole = entry.at("dtype") == "I64";
  at::Tensor tensor = at::empty(entry.at("shape").get<std::vector<std::int64_t>>(),
                                whole ? at::kLong : at::kFloat);
  std::memcpy(tensor.data_ptr(), numbers + entry.at("data_offsets").at(0).get<std::size_t>(),
              tensor.nbytes());
  return tensor;
}

detail::UViTConfig to_config(const Json& json) {
  detail::UViTConfig config;
  for (const auto& [key, value] : {std::pair{"image_size", &config.image_size},
                                   {"channels", &config.channels},
                                   {"patch_size", &config.patch_size},
                                   {"width", &config.width},
                                   {"depth", &config.depth},
                                   {"heads", &config.heads},
                                   {"label_rows", &config.label_rows}}) {
    *value = json.at(key).get<std::int64_t>();
  }
  for (const auto& [key, value] : {std::pair{"qkv_bias", &config.qkv_bias},
                                   {"time_mlp", &config.time_mlp},
                                   {"final_conv", &config.final_conv},
                                   {"skip", &config.skip}}) {
    *value = json.at(key).get<bool>();
  }
  config.mlp_ratio = json.at("mlp_ratio").get<double>();
  config.uncertainty = detail::parse_uncertainty_form(json.at("uncertainty").get<std::string>(),
                                                      "golden");
  return config;
}

NetworkSettings every_exit(const detail::UViTConfig& config) {
  return {std::vector<std::uint8_t>(static_cast<std::size_t>(config.blocks()), 1),
          config.label_rows - 1};
}

}  // namespace

std::vector<std::string> golden_names() {
  return {"uvit_plain", "uvit_class_time_mlp", "uvit_small_tokens", "uvit_no_skip_odd_width",
          "adadiff_map"};
}

GoldenCase load_golden(const std::string& name) {
  const std::string bytes = slurp(std::string(ADADIFF_TEST_DATA) + "/" + name + ".safetensors");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  const Json header = Json::parse(bytes.substr(sizeof(length), length));
  GoldenCase found;
  found.config = to_config(
      Json::parse(header.at("__metadata__").at("golden").get<std::string>()).at("network"));
  for (const auto& [key, entry] : header.items()) {
    if (key == "__metadata__") continue;
    const std::size_t dot = key.find('.');
    (key.substr(0, dot) == "net" ? found.weights : found.golden)[key.substr(dot + 1)] = to_tensor(
        entry, bytes.data() + 8 + length);
  }
  return found;
}

TensorMap to_our_names(const TensorMap& official) {
  TensorMap ours;
  for (const auto& [name, tensor] : official) {
    const bool certainty = name.rfind("lte_classifer.", 0) == 0;
    const std::size_t number = std::strlen("lte_classifer.");
    const std::size_t layer = name.find(".lte.");
    ours[certainty ? "uem." + name.substr(number, layer - number) + name.substr(layer + 4)
                   : name] = certainty ? tensor.neg() : tensor;
  }
  return ours;
}

ReferenceSizes sizes_of(const detail::UViTConfig& c) {
  return {c.image_size, c.channels, c.patch_size, c.width, c.depth, c.heads, c.skip};
}

std::shared_ptr<detail::UViT> make_uvit(const detail::UViTConfig& config,
                                        const TensorMap& weights) {
  auto network = std::make_shared<detail::UViT>(config, every_exit(config));
  network->visit(
      [&](const std::string& name, at::Tensor& tensor) { tensor.copy_(weights.at(name)); });
  return network;
}

TensorMap random_weights(const detail::UViTConfig& config, std::uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  TensorMap weights;
  detail::UViT(config, every_exit(config)).visit([&](const std::string& name, at::Tensor& tensor) {
    const at::Tensor normal = at::randn(tensor.sizes(), generator);
    const bool small = tensor.dim() < 2 || name.find("norm") != std::string::npos;
    const bool embedding = name == "pos_embed" || name == "label_emb.weight";
    const double fan_in = static_cast<double>(tensor.numel() / tensor.size(0));
    weights[name] = small ? 0.2 * normal : normal * (embedding ? 0.5 : 1 / std::sqrt(fan_in));
    if (small && name.find("norm") != std::string::npos && name.ends_with("weight"))
      weights[name] += 1;
  });
  return weights;
}

Inputs Inputs::rows(const std::vector<std::int64_t>& which) const {
  const at::Tensor index = indices(which);
  return {x.index_select(0, index), time.index_select(0, index),
          labels.defined() ? labels.index_select(0, index) : labels};
}

Inputs random_inputs(const detail::UViTConfig& c, std::int64_t rows, std::uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  Inputs inputs;
  inputs.x = at::randn({rows, c.channels, c.image_size, c.image_size}, generator);
  inputs.time = at::rand({rows}, generator) * 1000;
  if (c.label_rows > 0) inputs.labels = at::randint(c.label_rows, {rows}, generator, at::kLong);
  return inputs;
}

at::Tensor indices(const std::vector<std::int64_t>& values) {
  return at::tensor(values, at::kLong);
}

at::Tensor predict_all(const ForwardPass& pass, std::int64_t rows, const detail::UViTConfig& c) {
  at::Tensor out = at::full({rows, c.channels, c.image_size, c.image_size}, NAN);
  const at::Tensor every = at::arange(rows, at::kLong);
  pass.predict(every, every, out);
  return out;
}

at::Tensor score_all(const ForwardPass& pass, std::int64_t rows) {
  at::Tensor out = at::full({rows}, NAN);
  pass.score({out});
  return out;
}

double relative_error(const at::Tensor& found, const at::Tensor& expected) {
  const at::Tensor exact = expected.to(at::kDouble);
  if (found.sizes() != exact.sizes())
    throw std::logic_error("compared tensors of different shapes");
  return (found.to(at::kDouble) - exact).abs().max().item<double>() /
         exact.abs().max().item<double>();
}

}  // namespace adadiff::testing
