// What is known of a DiT before it is made.
#include <utility>

#include "networks/dit/dit.h"
#include "networks/kinds.h"

namespace adadiff::detail {
namespace {

class DiTDescription final : public NetworkDescription {
 public:
  explicit DiTDescription(DiTConfig config) : config_(config) {}

  std::int64_t blocks() const override { return config_.depth; }
  double parameter_count() const override { return config_.parameter_count(); }
  NetworkInfo info(NetworkSettings settings) const override {
    return describe(config_, std::move(settings));
  }
  UncertaintyForm uncertainty() const override { return config_.uncertainty; }
  std::string json() const override { return to_json(config_); }

  std::unique_ptr<NetworkDescription> with_exit_heads() const override {
    DiTConfig config = config_;
    config.heads_per_exit = true;
    return std::make_unique<DiTDescription>(config);
  }
  std::unique_ptr<NetworkDescription> with_uncertainty(UncertaintyForm form) const override {
    DiTConfig config = config_;
    config.uncertainty = form;
    return std::make_unique<DiTDescription>(config);
  }

  std::shared_ptr<TrainableNetwork> make(NetworkSettings settings) const override {
    return std::make_shared<DiT>(config_, std::move(settings));
  }

 private:
  DiTConfig config_;
};

}  // namespace

std::unique_ptr<NetworkDescription> describe_dit(const JsonReader& json) {
  return std::make_unique<DiTDescription>(parse_dit_config(json));
}

}  // namespace adadiff::detail
