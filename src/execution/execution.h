// How one evaluation of the network is run over rows that leave at their own depth. Each way (on
// the host, block by block; later captured on a device) implements this interface.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include <adadiff/exit_policy.h>
#include <adadiff/network.h>

#include "plans/compile.h"

namespace adadiff::detail {

/// One row of an evaluation: which sample, which guidance branch (0 conditional or only, 1
/// unconditional), which evaluation of its plan.
struct EvaluationRow {
  std::int64_t sample = 0;
  int branch = 0;
  int evaluation = 0;
};

/// Rows of one request. Groups decide apart from each other: only the rows of one group share a
/// mean under Scope::Batch. A pair of branches shares sample and evaluation.
struct RowGroup {
  const ExecutablePlan& plan;
  const ExitPolicy& policy;
  std::span<const EvaluationRow> rows;
};

/// One evaluation as begin() takes it. Everything is borrowed until the evaluation is over.
struct EvaluationRequest {
  PassInputs inputs;  ///< their rows are those of the groups, one group after the other
  std::span<const RowGroup> groups;
  Precision precision = Precision::Float32;
  /// [blocks]: the parts that each block leaves out; empty: none.
  std::span<const std::uint8_t> skip = {};
  at::Tensor out;  ///< [>= R, out_channels, H, W] float32; row i receives the network output of row
                   ///< i, guided if it has a guide, when it leaves
};

/// What became of a row.
struct RowOutcome {
  int exit = -1;          ///< blocks run
  float uncertainty = 0;  ///< at that exit; NaN where none was asked for
  int guide = kNoGuide;   ///< the exit that guided its prediction
};

/// The rows of one group that ran during one evaluation. Entry k belongs to block k + 1. Rows that
/// only fill up a pass are not counted, and nor are scores that only another group asked for.
struct RowCounts {
  std::int64_t embedded = 0;
  std::vector<std::int64_t> blocks, heads, scores;
};

/// Executes evaluations one after the other, one block at a time, and keeps its buffers. One thread
/// uses it; the network must outlive it. After an exception the evaluation is lost; begin()
/// starts anew.
class Execution {
 public:
  virtual ~Execution() = default;
  virtual void begin(const EvaluationRequest& request) = 0;
  /// Runs exactly one block over the rows still in the pass; none where all rows leave at exit 0.
  /// True while rows remain.
  virtual bool advance() = 0;

  /// One entry per row, in the order of the groups.
  virtual std::span<const RowOutcome> outcomes() const = 0;
  virtual const RowCounts& counts(std::size_t group) const = 0;
};

/// The execution for the network's device, for up to `capacity` rows.
std::unique_ptr<Execution> make_execution(const Network& network, std::int64_t capacity);

}  // namespace adadiff::detail
