// The random draws of a training: which image, time, label and noise each sample of each step gets,
// as functions of (seed, step, position of the sample in the step). Nothing here has a state that
// an interruption could lose.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <adadiff/noise_schedule.h>
#include <adadiff/training.h>

namespace adadiff::detail {

/// Which images a step gets: a new permutation of all `count` images in every pass over them.
class DataOrder {
 public:
  DataOrder(std::uint64_t seed, std::int64_t count);
  /// The index of the image for sample `position` of step `step` (from 0) with `batch` samples per
  /// step.
  std::int64_t index(std::int64_t step, std::int64_t batch, std::int64_t position);

 private:
  void shuffle(std::int64_t epoch);

  std::uint64_t seed_;
  std::vector<std::int64_t> order_;
  std::int64_t epoch_ = -1;
};

/// Draws the times of one step, one per sample, clipped to the process's [min_time(), max_time()].
std::vector<double> draw_times(const TrainingOptions& options, const Process& process,
                               std::int64_t step);
/// Whether sample `position` loses its label in this step.
bool drops_label(const TrainingOptions& options, std::int64_t step, std::int64_t position);
/// Whether the image of sample `position` is mirrored in this step.
bool mirrors(const TrainingOptions& options, std::int64_t step, std::int64_t position);
/// A number in (0, 1) that selects the early exit that learns from full depth in this step
/// (DistilledExits::One).
double draw_exit(const TrainingOptions& options, std::int64_t step);
/// A number in (0, 1) for item `item` of a run of the model itself (own_runs.h).
double draw_for_run(const TrainingOptions& options, std::int64_t run, std::int64_t item);
/// Draws the standard normal noise of one sample.
void draw_noise(const TrainingOptions& options, std::int64_t step, std::int64_t position,
                std::span<float> out);

}  // namespace adadiff::detail
