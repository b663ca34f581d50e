// The interface between sampling and networks. A network never sees a threshold or a solver;
// sampling never sees a concrete network.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace at {
class Tensor;
}

namespace adadiff {

/// The multiply-accumulates of a network per row, attention products included.
struct NetworkCost {
  double embed = 0;           ///< everything before the first block
  std::vector<double> block;  ///< [blocks]
  std::vector<double> head;   ///< [blocks], entry k: a prediction after block k + 1
  std::vector<double> score;  ///< [blocks], entry k: an uncertainty after block k + 1; 0 where
                              ///< there is none
};

/// What sampling needs to know about a network.
struct NetworkInfo {
  std::string kind;  ///< "uvit", ...; error messages name it
  int blocks = 0;    ///< at least 1, at most 255
  std::int64_t channels = 0, height = 0, width = 0;
  std::int64_t classes = 0;  ///< labels are 0..classes-1, the null label included; 0: the network
                             ///< takes no labels
  /// The label that means "no label"; -1: there is none, and guidance is refused.
  std::int64_t null_label = -1;
  /// [blocks], entry k: whether a pass may end at exit k. Entry 0 is for exit 0.
  std::vector<std::uint8_t> can_exit;
  bool has_uncertainty = true;  ///< false: the network runs only plans without thresholds
  NetworkCost cost;
};

/// The inputs of one evaluation; rows may be at different times. The tensors are contiguous, on the
/// network's device and, except for the labels, float32.
struct PassInputs {
  const at::Tensor& x;       ///< [R, C, H, W]
  const at::Tensor& time;    ///< [R], the number that the network embeds
  const at::Tensor& labels;  ///< [R] int64; undefined where the network takes no labels
};

/// The tensors into which a score is written in place, on the network's device. A run refuses
/// scores outside [0, 1]. NaN is allowed, and a row whose score is NaN does not leave.
struct ScoreSink {
  const at::Tensor& out;  ///< [R] float32, to be filled with uncertainties in [0, 1]
  /// [R, C, H, W] float32 or null: the uncertainty per value, where the network has one.
  const at::Tensor* map = nullptr;
};

/// One evaluation over up to `capacity` rows that can stop after any block. A pass is used by one
/// thread; begin() starts it anew and keeps its buffers. Positions count the rows that are still in
/// the pass, from 0.
class ForwardPass {
 public:
  virtual ~ForwardPass() = default;
  virtual void begin(const PassInputs& inputs) = 0;
  /// Runs exactly one block over all rows that are still in the pass.
  virtual void run_block() = 0;
  /// Writes the uncertainty of all rows that are still in the pass, after the blocks so far. Does
  /// not synchronise the device.
  virtual void score(const ScoreSink& sink) const = 0;
  /// Writes this exit's predictions for the rows at positions `rows` ([n] int64, ascending) into
  /// the rows `slots` ([n] int64) of `out` ([>= n, C, H, W] float32).
  virtual void predict(const at::Tensor& rows, const at::Tensor& slots,
                       const at::Tensor& out) const = 0;
  /// Goes on with only the rows at positions `rows` ([n] int64, ascending).
  virtual void keep(const at::Tensor& rows) = 0;
};

/// A denoising network. It does not change while it is sampled from. Threads may share it, each
/// with passes of its own.
class Network {
 public:
  virtual ~Network() = default;
  virtual const NetworkInfo& info() const = 0;
  /// Makes a pass over up to `capacity` rows; the network must outlive the pass.
  virtual std::unique_ptr<ForwardPass> new_pass(std::int64_t capacity) const = 0;
};

}  // namespace adadiff
