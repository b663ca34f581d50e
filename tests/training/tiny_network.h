// A trainable network small enough for finite differences: each block adds a linear layer, each
// exit has a linear head and a UEM.
#pragma once

#include <adadiff/trainable_network.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>

namespace adadiff::detail::test {

enum class TinyUncertainty { Map, Scalar, None };

struct TinyConfig {
  int blocks = 3;
  std::int64_t channels = 1, height = 2, width = 3;
  std::int64_t classes = 0;  ///< label rows, the null label's included
  std::int64_t null_label = -1;
  TinyUncertainty uncertainty = TinyUncertainty::Map;
  at::ScalarType type = at::kFloat;
  bool detaches_uem_input = true;  ///< as networks do; false lets gradient tests follow every path
};

class TinyNetwork final : public TrainableNetwork {
 public:
  explicit TinyNetwork(const TinyConfig& config);

  const NetworkInfo& info() const override { return info_; }
  std::unique_ptr<ForwardPass> new_pass(const PassOptions& options) const override;
  std::vector<BlockOutput> outputs(const PassInputs& inputs, at::ScalarType) const override;
  void visit(const TensorVisitor& visitor) override;
  void move_to(const Device& device) override { move_parameters(*this, device); }
  void initialise(std::uint64_t seed) override;
  /// Heads and UEMs of all blocks but the last belong to the exits, and the last UEM.
  ParameterRole role(const std::string& name) const override;
  std::string config_json() const override {
    return "{\"kind\": \"tiny\", \"blocks\": " + std::to_string(config_.blocks) + "}";
  }

 private:
  TinyConfig config_;
  NetworkInfo info_;
  std::vector<at::Tensor> block_, head_, uem_;  ///< [D, D] each; uem [1, D] for the scalar form
  at::Tensor time_, labels_;                    ///< [D], [classes, D]
};

std::shared_ptr<TinyNetwork> tiny_network(const TinyConfig& config = {}, std::uint64_t seed = 1);

}  // namespace adadiff::detail::test
