// The batches that training steps work on. A separate thread makes each batch while the step before
// it is computed.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include <ATen/core/Tensor.h>

#include <adadiff/training.h>

#include "training/draws.h"
#include "training/image_source.h"

namespace adadiff::detail {

/// What one step trains on. The buffers are reused from step to step. All tensors are float32
/// except the labels.
struct Batch {
  at::Tensor x;       ///< [B, C, H, W]: the network's input, alpha * clean + sigma * noise, scaled
  at::Tensor truth;   ///< [B, C, H, W]: what the network should predict for x
  at::Tensor time;    ///< [B]: the number that the network embeds
  at::Tensor labels;  ///< [B] int64; undefined for a network without labels
  at::Tensor pooled = {};  ///< [B, P]; undefined for a network without a condition's vector
};

/// Gives the batches of the steps in order.
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  /// Returns the batch of step `step` (from 0), which is valid until the next call. Steps may be
  /// asked for in any order; steps that rise by one are fast.
  virtual const Batch& at_step(std::int64_t step) = 0;
};

/// What a network is trained to predict, and how it takes times and labels.
struct BatchForm {
  Process process;
  std::int64_t null_label = -1;  ///< the label that replaces dropped labels
  bool has_labels = false;
  std::vector<std::int64_t> label_of_class = {};  ///< the network's label for each of the source's
                                                  ///< classes; empty: the same numbers
};

/// Fills one batch: images, noise, times and labels as functions of the step alone.
class BatchMaker {
 public:
  /// `source` must outlive the maker.
  BatchMaker(const ImageSource& source, const TrainingOptions& options, BatchForm form);
  Batch make_buffers() const;
  void fill(std::int64_t step, Batch& batch);

 private:
  void fill_row(std::int64_t step, std::int64_t row, double time, Batch& batch);

  const ImageSource& source_;
  TrainingOptions options_;
  BatchForm form_;
  DataOrder order_;
  std::vector<std::int64_t> images_;  ///< images of the batch
  std::vector<std::uint8_t> planes_;  ///< pixels of the batch
  std::vector<float> noise_;          ///< noise of one image
};

/// Batches of images and noise. While the caller works on one batch, a thread makes the next.
class Batches final : public BatchSource {
 public:
  /// `source` must outlive this object.
  Batches(const ImageSource& source, const TrainingOptions& options, BatchForm form);
  ~Batches() override;
  Batches(const Batches&) = delete;
  Batches& operator=(const Batches&) = delete;

  /// Throws what reading the images throws.
  const Batch& at_step(std::int64_t step) override;

 private:
  void work(const std::stop_token& stop);

  BatchMaker maker_;  ///< used by the thread while batch `wanted_` is not made
  Batch current_, next_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::int64_t wanted_ = -1;  ///< step that next_ is to hold; -1: none
  bool is_made_ = false;
  std::exception_ptr error_;
  std::jthread thread_;  ///< the last member: it uses all others
};

}  // namespace adadiff::detail
