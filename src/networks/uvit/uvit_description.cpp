// What is known of a UViT before it is made.
#include <utility>

#include "networks/kinds.h"
#include "networks/uvit/uvit.h"
#include "networks/uvit/uvit_layout.h"

namespace adadiff::detail {
namespace {

class UViTDescription final : public NetworkDescription {
 public:
  explicit UViTDescription(UViTConfig config) : config_(config) {}

  std::int64_t blocks() const override { return config_.blocks(); }
  double parameter_count() const override { return config_.parameter_count(); }
  NetworkInfo info(NetworkSettings settings) const override {
    return describe(config_, std::move(settings));
  }
  UncertaintyForm uncertainty() const override { return config_.uncertainty; }
  std::string json() const override { return to_json(config_); }

  std::unique_ptr<NetworkDescription> with_exit_heads() const override {
    UViTConfig config = config_;
    config.heads_per_exit = !config.norm_per_exit;
    return std::make_unique<UViTDescription>(config);
  }
  std::unique_ptr<NetworkDescription> with_uncertainty(UncertaintyForm form) const override {
    UViTConfig config = config_;
    config.uncertainty = form;
    return std::make_unique<UViTDescription>(config);
  }

  std::shared_ptr<TrainableNetwork> make(NetworkSettings settings) const override {
    return std::make_shared<UViT>(config_, std::move(settings));
  }

 private:
  UViTConfig config_;
};

}  // namespace

std::unique_ptr<NetworkDescription> describe_uvit(const JsonReader& json) {
  return std::make_unique<UViTDescription>(parse_uvit_config(json));
}

}  // namespace adadiff::detail
