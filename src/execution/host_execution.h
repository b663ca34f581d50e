// Runs one evaluation of the network over rows that leave at their own depth; decisions are made on
// the host, block by block.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include <adadiff/exit_policy.h>
#include <adadiff/network.h>

#include "execution/decision_units.h"
#include "execution/guide_store.h"
#include "plans/compile.h"

namespace adadiff::detail {

/// What became of a row.
struct RowOutcome {
  int exit = -1;          ///< blocks run
  float uncertainty = 0;  ///< at that exit; NaN where none was asked for
  int guide = kNoGuide;   ///< the exit that guided its prediction
};

/// Rows of the network that really ran during one evaluation. Entry k belongs to block k + 1.
struct RowCounts {
  std::int64_t embedded = 0;
  std::vector<std::int64_t> blocks, heads, scores;
};

/// One evaluation as begin() takes it. Plan and policy are borrowed until the evaluation is over.
struct EvaluationRequest {
  const PassInputs& inputs;
  std::span<const EvaluationRow>
      rows;  ///< one per row of the inputs; a pair of branches shares sample and evaluation
  const ExecutablePlan& plan;
  const ExitPolicy& policy;
  at::Tensor out;  ///< [>= R, C, H, W] float32; row i receives the network output of row i, guided
                   ///< if it has a guide, when it leaves
};

/// Executes evaluations one after the other, one block at a time, keeping its buffers. Used by one
/// thread; the network must outlive it. After an exception the evaluation is lost; begin() starts
/// anew.
class HostExecution {
 public:
  HostExecution(const Network& network, std::int64_t capacity);

  void begin(const EvaluationRequest& request);
  /// Exactly one block over the rows still in the pass; none where all rows leave at exit 0. True
  /// while rows remain.
  bool advance();

  std::span<const RowOutcome> outcomes() const { return outcomes_; }
  const RowCounts& counts() const { return counts_; }

 private:
  void leave_here();
  void ask_policy();
  void read_scores();
  void check_scores() const;
  void settle();
  void split_positions();
  void predict_leavers();
  at::Tensor linear_predictions(const std::vector<std::int64_t>& rows) const;
  void keep_guides();
  void enter_pass();
  at::Tensor index(const std::vector<std::int64_t>& values) const;

  const Network& network_;
  std::int64_t capacity_;
  std::unique_ptr<ForwardPass> pass_;

  const ExecutablePlan* plan_ = nullptr;
  const ExitPolicy* policy_ = nullptr;
  at::Tensor x_, time_, labels_, out_;
  int depth_ = 0;          ///< blocks run so far
  int scored_depth_ = -1;  ///< where position_scores_ was read
  bool has_entered_ = false;

  DecisionUnits units_;
  GuideStore guides_;
  std::vector<EvaluationRow> rows_;
  std::vector<std::int64_t> row_at_;  ///< row of each position still in the pass, ascending
  std::vector<std::uint8_t> leave_;   ///< per unit still in the pass
  std::vector<std::uint8_t> leaves_;  ///< per position
  std::vector<std::int64_t> leaving_, staying_;  ///< positions
  std::vector<std::int64_t> leaving_rows_, staying_rows_;
  std::vector<std::int64_t> guiding_, guiding_rows_, guide_places_;
  std::vector<float> position_scores_, readings_;
  at::Tensor scores_;  ///< [capacity] float32 on the network's device
  std::vector<RowOutcome> outcomes_;
  RowCounts counts_;
};

}  // namespace adadiff::detail
