// The state back end for host memory. For a network on another device it copies inputs there and
// predictions back.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "sampling/state_backend.h"

namespace adadiff::detail {

class CpuState final : public StateBackend {
 public:
  CpuState(const NetworkInfo& info, std::int64_t capacity, int branches);

  void reserve(const StateNeeds& needs) override;
  void set_conditions(std::span<const Conditions* const> conditions) override;
  void start(std::int64_t place, const SampleJob& job, std::int64_t sample) override;
  PassInputs inputs(std::span<const StateGroup> groups) override;
  const at::Tensor& predictions() const override { return predictions_; }
  std::optional<std::int64_t> update(const StateGroup& group) override;
  void end_step(std::int64_t place) override { history(place).shown = history(place).newest; }
  bool read(std::int64_t place, Value value, float* out) const override;

 private:
  /// Which of the clean images at a place is which. They are used in turn.
  struct History {
    int images = 2;
    int newest = -1, shown = -1;
    int next() const { return (newest + 1) % images; }
    int back(int from, int steps) const { return (from - steps + images) % images; }
  };

  History& history(std::int64_t place) { return history_[static_cast<std::size_t>(place)]; }
  float* values(const at::Tensor& images, std::int64_t place) const {
    return images.data_ptr<float>() + place * values_;
  }
  float* clean(std::int64_t place, int image) const {
    return values(clean_[static_cast<std::size_t>(image)], place);
  }
  at::Tensor images(std::int64_t count, std::int64_t channels) const;
  bool is_state(std::span<const StateGroup> groups) const;
  void fill_rows(const StateGroup& group, bool fills_x);
  bool predict_clean_image(const StateGroup& group, std::int64_t sample);
  void step(const StateGroup& group, std::int64_t sample);
  const float* draw_noise(const StateGroup& group, std::int64_t sample);
  const float* prediction(const StateGroup& group, std::int64_t sample) const;

  NetworkInfo info_;
  at::Device device_;  ///< the network's
  std::int64_t capacity_, rows_;
  std::int64_t values_;            ///< per image
  at::Tensor state_;               ///< [capacity, C, H, W]
  at::Tensor base_, unclamped_;    ///< the same, each only where a plan needs it
  at::Tensor noise_;               ///< [1, C, H, W]: of the sample that is moved on
  std::vector<at::Tensor> clean_;  ///< of [capacity, C, H, W]
  std::vector<History> history_;   ///< [capacity]
  at::Tensor input_;               ///< [rows, C, H, W] where it is not the state itself
  at::Tensor time_, entries_;      ///< [rows]; entries only where there are conditions
  at::Tensor labels_, tokens_, mask_, pooled_;  ///< the table, on the network's device
  at::Tensor predictions_;       ///< [rows, out_channels, H, W] on the network's device
  at::Tensor host_predictions_;  ///< the same in host memory
  at::Tensor x_view_, time_view_, entries_view_;
};

}  // namespace adadiff::detail
