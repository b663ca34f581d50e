// The working tensors of the batch in progress: state, base state, noise, the last clean
// predictions, network inputs and output.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include <adadiff/network.h>

#include "sampling/sample_job.h"

namespace adadiff::detail {

/// Writes the state that a sample starts from: its noise, or its start image with noise added.
void write_start(const SampleJob& job, std::int64_t sample, float* out);

/// What the working tensors of a batch take, in bytes: those of a BatchState and what guiding exits
/// predicted. Below 2^63 for images of at most 2^30 values and batches of at most 10^6.
std::int64_t batch_bytes(const SampleJob& job);
/// What the images of all samples take, in bytes. Below 2^63 for up to 10^6 of them.
std::int64_t image_bytes(const SampleJob& job);

/// Made once per run and filled anew for each batch. Rows are sample-major, the conditional branch
/// first.
class BatchState {
 public:
  explicit BatchState(const SampleJob& job);

  void start(std::int64_t first_sample, std::int64_t samples);
  std::int64_t first_sample() const { return first_sample_; }
  std::int64_t samples() const { return samples_; }

  /// Inputs for an evaluation at the current state.
  PassInputs inputs(const CompiledEvaluation& evaluation);
  const at::Tensor& out() const { return out_; }
  /// Clean image and next state from what stands in out(). Throws ModelError, changing nothing,
  /// where the network gave no finite values.
  void update(const CompiledEvaluation& evaluation, int index);
  /// From now on latest_clean() is the prediction of the last update.
  void end_step() { shown_slot_ = newest_slot_; }

  /// State of a sample of this batch, counted within it. [C, H, W].
  const float* state(std::int64_t index) const;
  /// Its clean image as of the last whole step; null before the first.
  const float* latest_clean(std::int64_t index) const;

 private:
  void fill_labels();
  void predict_clean_images(const CompiledEvaluation& evaluation, float* clean) const;
  void draw_noise(int index);

  const SampleJob& job_;
  std::int64_t values_ = 0;  ///< per image
  std::int64_t first_sample_ = 0, samples_ = 0;
  at::Tensor state_;                     ///< [batch, C, H, W]
  at::Tensor base_, noise_, unclamped_;  ///< the same, each only where the plan needs it
  std::vector<at::Tensor> clean_;        ///< ring of [batch, C, H, W]
  int newest_slot_ = -1, shown_slot_ = -1;
  at::Tensor input_;  ///< [rows, C, H, W] where the network's input is not the state itself
  at::Tensor time_, labels_, out_;  ///< [rows], [rows] or undefined, [rows, C, H, W]
  at::Tensor x_view_, time_view_, labels_view_;
};

}  // namespace adadiff::detail
