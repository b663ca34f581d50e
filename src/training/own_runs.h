// Batches for a training without images: the states that the model itself passes through when it
// draws. Exits that learn full depth's predictions there need no data but the model.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include <adadiff/plan.h>
#include <adadiff/trainable_network.h>
#include <adadiff/training.h>

#include "training/batches.h"
#include "training/draws.h"

namespace adadiff::detail {

inline constexpr const char* kNoImages = "none";  ///< TrainingOptions::images
inline constexpr std::int64_t kMostRunSteps = 1000;

/// Draws from the network at full depth, keeps the inputs and predictions of all evaluations in a
/// pool, and gives batches of them, each state a few times. A pool is a function of the seed and
/// its number, so an interruption changes no number on a CPU.
class OwnRuns final : public BatchSource {
 public:
  /// `conditions` is [N, P], or undefined for a network that takes no vector. The network's full
  /// depth must not change while this object is used. Throws InvalidArgument.
  OwnRuns(std::shared_ptr<TrainableNetwork> network, const SamplerModel& model,
          const TrainingOptions& options, at::Tensor conditions);

  /// The first batch of a pool takes the time of the pool's runs. Throws what a run throws.
  const Batch& at_step(std::int64_t step) override;

 private:
  void fill_pool(std::int64_t pool);
  void add_run(std::int64_t run);

  std::shared_ptr<TrainableNetwork> network_;
  SamplerModel model_;
  TrainingOptions options_;
  at::Tensor conditions_;
  std::int64_t samples_ = 0;  ///< of a run
  std::int64_t steps_per_pool_ = 0;
  std::int64_t pool_number_ = -1;
  std::vector<Batch> states_;  ///< of the pool's runs
  Batch pool_, batch_;
  std::unique_ptr<DataOrder> order_;  ///< of the states in the pool
};

/// Reads the file that TrainingOptions::conditions names, [N, P] float32; undefined where the
/// network takes no vector. Throws FileError, ModelError, InvalidArgument.
at::Tensor read_conditions(const TrainingOptions& options, const NetworkInfo& info);

}  // namespace adadiff::detail
