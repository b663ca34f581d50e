// Where the numbers of samples in flight live: states, noise, predictions, inputs. A run works on
// them through these few calls only, so that they may be where the host cannot see them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <ATen/core/Tensor.h>

#include <adadiff/network.h>

#include "sampling/sample_job.h"

namespace adadiff::detail {

/// What a job's samples need to have held.
struct StateNeeds {
  int clean_images = 2;  ///< what updates look back on, and the last whole step's prediction
  bool base = false, noise = false, unclamped = false;
  bool input = false;  ///< the network's input is not the state itself
};
StateNeeds needs_of(const SampleJob& job);

/// What the working tensors of a batch take, in bytes: those of a state back end and what guiding
/// exits predicted. Below 2^63 for images of at most 2^30 values and batches of at most 10^6.
std::int64_t batch_bytes(const SampleJob& job);
/// What the images of all samples take, in bytes. Below 2^63 for up to 10^6 of them.
std::int64_t image_bytes(const SampleJob& job);

/// Samples of one job that stand at the same evaluation. Their rows are sample-major, the
/// conditional branch first.
struct StateGroup {
  const SampleJob& job;
  std::int64_t first_sample = 0;         ///< the others follow it
  std::span<const std::int64_t> places;  ///< one per sample
  int evaluation = 0;                    ///< number in the job's plan
  std::int64_t first_entry = 0;          ///< where the job's conditions begin in the table
  std::int64_t first_row = 0;            ///< of the pass

  const CompiledEvaluation& compiled() const {
    return job.plan.evaluations[static_cast<std::size_t>(evaluation)];
  }
  std::int64_t rows() const { return std::ssize(places) * job.branches(); }
};

/// Holds the numbers of up to `capacity` samples, each at a place of its own. One thread uses it.
class StateBackend {
 public:
  virtual ~StateBackend() = default;
  /// Makes room for what jobs need. Calls add up; what is held stays as it is.
  virtual void reserve(const StateNeeds& needs) = 0;
  /// Replaces the table of conditions by these, one after the other.
  virtual void set_conditions(std::span<const Conditions* const> conditions) = 0;

  /// From now on the place holds what this sample of the job starts from.
  virtual void start(std::int64_t place, const SampleJob& job, std::int64_t sample) = 0;
  /// The inputs of a pass over the rows of all groups, at their current states. They stay valid
  /// until the next call of inputs(), set_conditions() or update(), and may be read meanwhile.
  virtual PassInputs inputs(std::span<const StateGroup> groups) = 0;
  /// Where the network's predictions for the rows of a pass go. [rows at most, out_channels, H, W]
  /// float32 on the network's device.
  virtual const at::Tensor& predictions() const = 0;
  /// Clean images and next states of a group, from what stands in predictions(). Returns the first
  /// sample, counted within the group, for which the network gave values that are not finite; the
  /// group then stays as it was. A back end that would have to wait for its device to know says so
  /// by an exception of read() instead.
  virtual std::optional<std::int64_t> update(const StateGroup& group) = 0;
  /// From now on the clean image of the place is the prediction of its last update.
  virtual void end_step(std::int64_t place) = 0;

  enum class Value { State, CleanImage };
  /// Copies [C, H, W] of a place to host memory; the clean image is that of the last whole step.
  /// Returns false and writes nothing where there has been no such step. Throws ModelError where
  /// the values turned out not to be finite.
  virtual bool read(std::int64_t place, Value value, float* out) const = 0;
};

/// The back end for the network's device, for `capacity` samples of up to `branches` rows each.
std::unique_ptr<StateBackend> make_state_backend(const NetworkInfo& info, std::int64_t capacity,
                                                 int branches);

}  // namespace adadiff::detail
