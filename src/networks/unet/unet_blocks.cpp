// Walks down and up the levels, as the official constructor does.
#include "networks/unet/unet_blocks.h"

#include <algorithm>
#include <utility>

namespace adadiff::detail {
namespace {

class Walk {
 public:
  explicit Walk(const UNetConfig& config) : config_(config) {
    channels_ = config.width;
    skips_.push_back(channels_);
  }

  std::vector<UNetBlockShape> run() && {
    for (level_ = 0; level_ < config_.levels(); ++level_) down_level();
    --level_;
    middle();
    for (; level_ >= 0; --level_) up_level();
    return std::move(blocks_);
  }

 private:
  std::int64_t level_channels() const {
    return config_.width * config_.multipliers[static_cast<std::size_t>(level_)];
  }
  bool has_attention() const {
    return std::ranges::find(config_.attention_levels, level_) != config_.attention_levels.end();
  }

  void begin(const std::string& name) {
    name_ = name;
    blocks_.emplace_back();
  }
  void end() {
    blocks_.back().channels = channels_;
    blocks_.back().factor = factor_;
    if (!blocks_.back().pushes_skip) return;
    skips_.push_back(channels_);
  }
  void add(UNetLayerKind kind, std::int64_t out, UNetChange change = UNetChange::None) {
    if (change == UNetChange::Halve) factor_ *= 2;
    if (change == UNetChange::Double) factor_ /= 2;
    auto& layers = blocks_.back().layers;
    layers.push_back({.kind = kind,
                      .name = name_ + "." + std::to_string(layers.size()),
                      .in = channels_,
                      .out = out,
                      .factor = factor_,
                      .change = change,
                      .is_middle = name_ == "middle_block"});
    channels_ = out;
  }
  void add_resampling(UNetChange change) {
    const auto plain = change == UNetChange::Halve ? UNetLayerKind::Downsampling
                                                   : UNetLayerKind::Upsampling;
    const bool is_residual = config_.resampling == UNetResampling::Residual;
    add(is_residual ? UNetLayerKind::Residual : plain, channels_, change);
  }

  void down_level() {
    for (std::int64_t i = 0; i < config_.blocks_per_level; ++i) {
      begin("input_blocks." + std::to_string(++inputs_));
      blocks_.back().pushes_skip = true;
      add(UNetLayerKind::Residual, level_channels());
      if (has_attention()) add(UNetLayerKind::Attention, channels_);
      end();
    }
    if (level_ + 1 == config_.levels()) return;
    begin("input_blocks." + std::to_string(++inputs_));
    blocks_.back().pushes_skip = true;
    add_resampling(UNetChange::Halve);
    end();
  }

  void middle() {
    begin("middle_block");
    add(UNetLayerKind::Residual, channels_);
    if (config_.middle_attention) add(UNetLayerKind::Attention, channels_);
    add(UNetLayerKind::Residual, channels_);
    end();
  }

  void up_level() {
    for (std::int64_t i = 0; i <= config_.blocks_per_level; ++i) {
      begin("output_blocks." + std::to_string(outputs_++));
      blocks_.back().takes_skip = true;
      channels_ += skips_.back();
      skips_.pop_back();
      add(UNetLayerKind::Residual, level_channels());
      if (has_attention()) add(UNetLayerKind::Attention, channels_);
      if (level_ > 0 && i == config_.blocks_per_level) add_resampling(UNetChange::Double);
      end();
    }
  }

  const UNetConfig& config_;
  std::vector<UNetBlockShape> blocks_;
  std::vector<std::int64_t> skips_;  ///< channels of what later blocks will take
  std::string name_;
  std::int64_t level_ = 0, channels_ = 0, factor_ = 1, inputs_ = 0, outputs_ = 0;
};

}  // namespace

std::vector<UNetBlockShape> block_shapes(const UNetConfig& config) { return Walk(config).run(); }

std::int64_t attention_heads(const UNetConfig& config, std::int64_t channels) {
  return config.head_width == 0 ? config.heads : channels / config.head_width;
}

UncertaintySizes uncertainty_sizes(const UNetConfig& config, const UNetBlockShape& block) {
  const std::int64_t cells = (config.image_height / block.factor) *
                             (config.image_width / block.factor);
  return {.tokens = cells,
          .width = block.channels,
          .time_width = config.time_width(),
          .patch_values = block.factor * block.factor * config.channels};
}

}  // namespace adadiff::detail
