// Runs one evaluation of the network over rows that leave at their own depth; decisions are made on
// the host, block by block.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "execution/decision_units.h"
#include "execution/execution.h"
#include "execution/guide_store.h"

namespace adadiff::detail {

/// Runs on the network's device; what it reads from there are the uncertainties that its policies
/// ask for, and nothing else.
class HostExecution final : public Execution {
 public:
  HostExecution(const Network& network, std::int64_t capacity);

  void begin(const EvaluationRequest& request) override;
  bool advance() override;

  std::span<const RowOutcome> outcomes() const override { return outcomes_; }
  const RowCounts& counts(std::size_t group) const override { return parties_[group].counts; }

 private:
  /// A group in the evaluation in progress.
  struct Party {
    const ExecutablePlan* plan = nullptr;
    const ExitPolicy* policy = nullptr;
    DecisionUnits units;
    std::vector<std::uint8_t> leave;  ///< per unit still in the pass
    Consult consult = Consult::No;    ///< at this exit
    int scored_depth = -1;            ///< where its policy was last given uncertainties
    RowCounts counts;
  };

  void use_pass(Precision precision);
  std::int64_t padded_rows(std::int64_t live) const;
  void begin_parties(std::span<const RowGroup> groups);
  void leave_here();
  void leave_by_force();
  void ask_policies();
  void decide(Party& party, const ExitSite& site);
  bool read_scores();
  void check_scores() const;
  void settle();
  void split_positions();
  void predict_leavers();
  void note_outcomes();
  at::Tensor linear_predictions(const std::vector<std::int64_t>& rows) const;
  void keep_guides();
  void enter_pass();
  void count(std::vector<std::int64_t> RowCounts::*counts, std::span<const std::int64_t> rows);
  const std::vector<std::int64_t>& padded(const std::vector<std::int64_t>& positions);
  at::Tensor index(const std::vector<std::int64_t>& values) const;
  Party& party_of(std::int64_t row) { return parties_[party_at_[static_cast<std::size_t>(row)]]; }

  const Network& network_;
  std::int64_t capacity_;
  std::vector<std::unique_ptr<ForwardPass>> passes_;  ///< by precision, made when one is needed
  ForwardPass* pass_ = nullptr;                       ///< of this evaluation

  at::Tensor x_, time_, entries_, out_;
  ConditionTable conditions_;
  std::span<const std::uint8_t> skip_;
  int depth_ = 0;  ///< blocks run so far
  bool has_entered_ = false;

  std::vector<Party> parties_;  ///< the first party_count_ of them are in this evaluation
  std::size_t party_count_ = 0;
  std::vector<std::size_t> party_at_;  ///< of each row
  std::vector<EvaluationRow> rows_;
  GuideStore guides_;
  std::vector<std::int64_t> row_at_;  ///< row of each position still in the pass, ascending
  std::vector<std::uint8_t> leaves_;  ///< per row
  std::vector<std::int64_t> leaving_, staying_;  ///< positions
  std::vector<std::int64_t> leaving_rows_, staying_rows_;
  std::vector<std::int64_t> guiding_, guiding_rows_, guide_places_;
  std::vector<std::int64_t> padded_, asked_;
  std::vector<float> row_scores_, readings_;
  at::Tensor scores_;  ///< [rows at most] float32 on the network's device
  std::vector<RowOutcome> outcomes_;
};

}  // namespace adadiff::detail
