// The step that every training makes: gradients of a loss, clipped, against which the weights move,
// and the average of the weights.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <adadiff/training.h>

#include "training/optimiser.h"

namespace adadiff::detail {

/// What errors say about numbers that are not finite.
struct DescentErrors {
  std::string where = "training";
  std::string advice = "lower the learning rate";
};

/// Of the options it uses the optimiser, its rates, `steps`, `clip` and `ema`. The caller counts
/// the steps: a training may be resumed.
class Descent {
 public:
  /// Throws InvalidArgument where `undecayed` names a parameter that does not exist.
  Descent(const Parameters& parameters, const TrainingOptions& options, DescentErrors errors = {});

  /// The share of the peak learning rates at step `number` (from 1).
  double rate_share(std::int64_t number) const;
  /// Drops the gradients of the step before.
  void start_step() { drop_gradients(parameters_); }
  /// Throws Error unless the value, such as the loss of step `number`, is finite.
  void require_finite(double value, const std::string& what, std::int64_t number) const;
  /// Makes step `number` with the gradients that the parameters hold. Returns their norm before
  /// clipping; throws Error, and leaves the weights alone, where it is not finite.
  double finish_step(std::int64_t number);
  /// Throws Error unless the weights, their averages and the moments after step `number` are
  /// finite.
  void require_finite_state(std::int64_t number) const;

  /// Leaves the parameters with their averages, and without gradients.
  void keep_averages();

  const Parameters& parameters() const { return parameters_; }
  const WeightUpdate& update() const { return update_; }
  const std::vector<at::Tensor>& averages() const { return average_.averages(); }

 private:
  Parameters parameters_;
  TrainingOptions options_;
  DescentErrors errors_;
  WeightUpdate update_;
  MovingAverage average_;
};

/// Updates a running mean, which weighs all values alike until there are enough of them.
double running_mean(double mean, double value, std::int64_t count, double memory);

}  // namespace adadiff::detail
