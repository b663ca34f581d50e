// The interface between sampling and networks. A network never sees a threshold or a solver;
// sampling never sees a concrete network.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <adadiff/device.h>

namespace at {
class Tensor;
}

namespace adadiff {

/// The parts of a block that a plan may leave out (Rule::skip), as bits.
inline constexpr std::uint8_t kAttentionPart = 1, kMlpPart = 2;

/// The multiply-accumulates of a network per row, attention products included.
struct NetworkCost {
  double embed = 0;           ///< everything before the first block
  std::vector<double> block;  ///< [blocks], the whole block
  std::vector<double> head;   ///< [blocks], entry k: a prediction after block k + 1
  std::vector<double> score;  ///< [blocks], entry k: an uncertainty after block k + 1; 0 where
                              ///< there is none
  /// [blocks]: the part of block[k] that is saved where attention or the MLP is left out. Empty
  /// where it cannot be left out.
  std::vector<double> attention = {}, mlp = {};
};

/// The conditions that a network takes beside the time.
struct ConditionInfo {
  std::int64_t tokens = 0, token_width = 0;  ///< of a sequence; 0: it takes none
  std::int64_t pooled_width = 0;             ///< of one vector; 0: it takes none
  bool is_empty() const { return tokens == 0 && pooled_width == 0; }
};

/// What sampling needs to know about a network. A block is what lies between two places where a
/// pass may end, whatever layers it holds.
struct NetworkInfo {
  std::string kind;                                  ///< "uvit", ...; error messages name it
  int blocks = 0;                                    ///< at least 1, at most 255
  std::int64_t channels = 0, height = 0, width = 0;  ///< of the state; images need not be square
  std::int64_t classes = 0;  ///< labels are 0..classes-1, the null label included; 0: the network
                             ///< takes no labels
  /// The label that means "no label": classes - 1 in model files. -1: there is none, and guidance
  /// is refused.
  std::int64_t null_label = -1;
  /// [blocks], entry k: whether a pass may end at exit k, after k blocks. Exit 0
  /// needs nothing of the network: the library predicts there by itself (docs/exits.md).
  std::vector<std::uint8_t> can_exit;
  bool has_uncertainty = true;  ///< false: the network runs only plans without thresholds
  NetworkCost cost;
  ConditionInfo condition = {};
  /// Whether predictions have `channels` more channels, which say where between its bounds the
  /// logarithm of each value's variance lies, -1 at the lower and 1 at the upper one (Nichol &
  /// Dhariwal 2021, eq. 15).
  bool has_learned_variance = false;
  std::uint8_t skippable = 0;  ///< the parts of its blocks that may be left out, as bits
  /// The number types that its blocks run in here without being slower than in float32, which is
  /// always among them.
  std::vector<Precision> precisions = {Precision::Float32};
  Device device = {};  ///< where its weights are, and where passes run

  std::int64_t out_channels() const { return has_learned_variance ? 2 * channels : channels; }
};

/// What rows are drawn from, one entry each; "no condition" is an entry like any other. A member is
/// null where the network does not take it. The tensors are contiguous and on the network's device.
struct ConditionTable {
  const at::Tensor* labels = nullptr;  ///< [E] int64
  const at::Tensor* tokens = nullptr;  ///< [E, L, D] float32
  const at::Tensor* mask = nullptr;    ///< [E, L] bool: the tokens that count
  const at::Tensor* pooled = nullptr;  ///< [E, P] float32
};

/// The inputs of one evaluation; rows may be at different times and of different requests. The
/// tensors are contiguous and on the network's device.
struct PassInputs {
  const at::Tensor& x;  ///< [R, C, H, W] float32
  /// [R] float32, the number that the network embeds. In a training of a network that the caller
  /// made it is 1000 times the time in [0, 1] of the schedule, which its model file then says.
  const at::Tensor& time;
  /// [R] int64: each row's entry of the table. Undefined where the network takes no condition.
  const at::Tensor& entries;
  ConditionTable conditions = {};
  /// How many of the rows count, from the first one; the others only fill up the number that
  /// Network::padded_rows asked for. -1: all.
  std::int64_t live = -1;
};

/// The tensors into which a score is written in place, on the network's device. A run refuses
/// scores outside [0, 1]. NaN is allowed, and a row whose score is NaN does not leave.
struct ScoreSink {
  /// [R] float32, to be filled with uncertainties in [0, 1]; rows that fill up are among them.
  const at::Tensor& out;
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
  /// Runs exactly one block over all rows that are still in the pass, without the parts that are
  /// set in `skip`, a subset of NetworkInfo::skippable.
  virtual void run_block(std::uint8_t skip) = 0;
  /// Writes the uncertainty of all rows that are still in the pass, after the blocks so far. Does
  /// not synchronise the device.
  virtual void score(const ScoreSink& sink) const = 0;
  /// Writes this exit's predictions for the rows at positions `rows` ([n] int64, ascending) into
  /// the rows `slots` ([n] int64) of `out` ([>= n, out_channels, H, W] float32).
  virtual void predict(const at::Tensor& rows, const at::Tensor& slots,
                       const at::Tensor& out) const = 0;
  /// Goes on with only the rows at positions `rows` ([n] int64). The first `live` of them count and
  /// are ascending; the others fill up and may repeat positions. -1: all count.
  virtual void keep(const at::Tensor& rows, std::int64_t live) = 0;
};

/// What a pass is made for.
struct PassOptions {
  std::int64_t capacity = 1;                 ///< rows at most
  Precision precision = Precision::Float32;  ///< one of NetworkInfo::precisions
  Device device = {};                        ///< NetworkInfo::device
};

/// A denoising network. It does not change while it is sampled from. Threads may share it, each
/// with passes of its own.
class Network {
 public:
  virtual ~Network() = default;
  virtual const NetworkInfo& info() const = 0;
  /// Makes a pass; the network must outlive it. Passes with the same precision share what they need
  /// to have prepared, such as packed or converted weights. Options that do not fit info() are
  /// refused with InvalidArgument.
  virtual std::unique_ptr<ForwardPass> new_pass(const PassOptions& options) const = 0;
  /// The number of rows that begin() and keep() must be given where `rows` of them count. It is at
  /// least `rows`, and never falls when `rows` grows. A network that is captured once for each of a
  /// few numbers of rows returns the next one of these.
  virtual std::int64_t padded_rows(std::int64_t rows) const { return rows; }
};

/// What a model file says about a network besides its sizes.
struct NetworkSettings {
  std::vector<std::uint8_t> can_exit;  ///< [blocks], NetworkInfo::can_exit
  std::int64_t null_label = -1;        ///< NetworkInfo::null_label
};

class TrainableNetwork;

/// A family of networks beside those of the library (trainable_network.h).
struct NetworkKind {
  std::string name;  ///< the "kind" in descriptions
  /// How many blocks a network of that description has, in [1, 255]. Throws ModelError.
  std::function<int(const std::string& description)> blocks;
  /// Makes the network, whose info() must have the settings; its weights are read afterwards.
  /// Throws ModelError. It must refuse sizes that it does not want to allocate.
  std::function<std::shared_ptr<TrainableNetwork>(const std::string& description,
                                                  NetworkSettings settings)>
      make;
};

}  // namespace adadiff
