// Training data: labelled 8-bit images in memory, and the batches that a step trains on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include <adadiff/training.h>

#include "training/draws.h"

namespace adadiff::detail {

/// Images as stored; a training sees them in [-1, 1].
struct ImageSet {
  std::int64_t count = 0, channels = 0, height = 0, width = 0;
  std::vector<std::uint8_t> pixels;  ///< [count, channels, height, width]
  std::vector<std::uint8_t> labels;  ///< [count] or empty
  std::int64_t classes = 0;          ///< largest label + 1; 0 without labels
  std::int64_t values() const { return channels * height * width; }
};

/// Reads IDX files of images [N, H, W] or [N, C, H, W] and labels [N] (empty path: none). Throws FileError, ModelError.
ImageSet read_image_set(const std::string& images, const std::string& labels);
/// Root mean square of the values in [-1, 1].
double data_std(const ImageSet& set);

/// What one step trains on; buffers are reused from step to step. Float32 but for the labels.
struct Batch {
  at::Tensor x;       ///< [B, C, H, W]: alpha * clean + sigma * noise
  at::Tensor truth;   ///< [B, C, H, W]: what the network should say of x
  at::Tensor time;    ///< [B]: the number that the network embeds
  at::Tensor labels;  ///< [B] int64; undefined for a network without labels
};

/// What the network makes of times and labels.
struct BatchForm {
  SchedulePtr schedule;
  double time_scale = 1000;
  std::int64_t null_label = -1;  ///< of dropped labels
  bool has_labels = false;
};

/// Makes batches; the set must outlive it.
class Batches {
 public:
  Batches(const ImageSet& set, const TrainingOptions& options, BatchForm form);
  /// The batch of step `step` (from 0); valid until the next call.
  const Batch& at_step(std::int64_t step);

 private:
  void fill_row(std::int64_t step, std::int64_t row, double time);

  const ImageSet& set_;
  TrainingOptions options_;
  BatchForm form_;
  DataOrder order_;
  Batch batch_;
  std::vector<float> noise_;  ///< of one sample
};

}  // namespace adadiff::detail
