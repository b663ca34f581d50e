// The description of a family whose networks are said by one struct of sizes and forms.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "networks/description.h"

namespace adadiff::detail {

/// Config has the member `uncertainty`, the functions blocks(), parameter_count() and
/// with_exit_heads(), and the free functions to_json(config) and describe(config, settings); Family
/// is the network that is made from it.
template <class Config, class Family>
class ConfigDescription final : public NetworkDescription {
 public:
  explicit ConfigDescription(Config config) : config_(std::move(config)) {}

  std::int64_t blocks() const override { return config_.blocks(); }
  double parameter_count() const override { return config_.parameter_count(); }
  NetworkInfo info(NetworkSettings settings) const override {
    return describe(config_, std::move(settings));
  }
  UncertaintyForm uncertainty() const override { return config_.uncertainty; }
  std::string json() const override { return to_json(config_); }

  std::unique_ptr<NetworkDescription> with_exit_heads() const override {
    return std::make_unique<ConfigDescription>(config_.with_exit_heads());
  }
  std::unique_ptr<NetworkDescription> with_uncertainty(UncertaintyForm form) const override {
    Config config = config_;
    config.uncertainty = form;
    return std::make_unique<ConfigDescription>(config);
  }

  std::shared_ptr<TrainableNetwork> make(NetworkSettings settings) const override {
    return std::make_shared<Family>(config_, std::move(settings));
  }

 private:
  Config config_;
};

}  // namespace adadiff::detail
