// The border between sampling and networks. A network never sees a threshold or a solver; sampling
// never sees a concrete network.
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

/// Multiply-accumulates per row, attention products included.
struct NetworkCost {
  double embed = 0;           ///< before the first block
  std::vector<double> block;  ///< [blocks]
  std::vector<double> head;   ///< [blocks], a prediction after block k + 1
  std::vector<double> score;  ///< [blocks], an uncertainty after block k + 1; 0 where there is none
};

/// What sampling needs to know of a network.
struct NetworkInfo {
  std::string kind;  ///< "uvit", ...; named in errors
  int blocks = 0;    ///< at least 1, at most 255
  std::int64_t channels = 0, height = 0, width = 0;
  std::int64_t classes = 0;  ///< labels 0..classes-1, the null label among them; 0: the network
                             ///< takes no label
  std::int64_t
      null_label = -1;  ///< the label that means "none"; -1: there is none, guidance is refused
  std::vector<std::uint8_t>
      can_exit;  ///< [blocks], entry k: a pass may end at exit k; entry 0 tells of exit 0
  bool has_uncertainty = true;  ///< false: only plans without thresholds run
  NetworkCost cost;
};

/// Inputs of one evaluation; rows may be at different times. Float32, contiguous, on the network's
/// device.
struct PassInputs {
  const at::Tensor& x;       ///< [R, C, H, W]
  const at::Tensor& time;    ///< [R], the number that the network embeds
  const at::Tensor& labels;  ///< [R] int64; undefined where the network takes none
};

/// Where a score goes: written in place, on the network's device. A run refuses scores outside
/// [0, 1]; NaN is allowed, and never leaves.
struct ScoreSink {
  const at::Tensor& out;  ///< [R] float32, to be filled with uncertainties in [0, 1]
  /// [R, C, H, W] float32 or null: the uncertainty per value, where the network has one.
  const at::Tensor* map = nullptr;
};

/// One evaluation over up to `capacity` rows that can stop after any block. Used by one thread;
/// begin() starts it anew, keeping its buffers. Positions count the rows that are still in the
/// pass, from 0.
class ForwardPass {
 public:
  virtual ~ForwardPass() = default;
  virtual void begin(const PassInputs& inputs) = 0;
  /// Exactly one block over all rows still in the pass.
  virtual void run_block() = 0;
  /// Uncertainty after the blocks so far, of all rows still in the pass. Does not synchronise the
  /// device.
  virtual void score(const ScoreSink& sink) const = 0;
  /// This exit's prediction of positions `rows` [n] int64, ascending, into rows `slots` [n] int64
  /// of out [>= n, C, H, W] float32.
  virtual void predict(const at::Tensor& rows, const at::Tensor& slots,
                       const at::Tensor& out) const = 0;
  /// Goes on with positions `rows` [n] int64, ascending, only.
  virtual void keep(const at::Tensor& rows) = 0;
};

/// A denoising network. Immutable while sampled from; shared by threads, each with passes of its
/// own.
class Network {
 public:
  virtual ~Network() = default;
  virtual const NetworkInfo& info() const = 0;
  /// A pass over up to `capacity` rows; the network must outlive it.
  virtual std::unique_ptr<ForwardPass> new_pass(std::int64_t capacity) const = 0;
};

}  // namespace adadiff
