// Joins plan, solver table and model into the flat list of evaluations that a run executes. It
// works with numbers only, without tensors.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <adadiff/exit_policy.h>
#include <adadiff/plan.h>
#include <adadiff/solver.h>

#include "diffusion/prediction.h"
#include "plans/compile_guide.h"

namespace adadiff::detail {

/// What a plan has to fit: facts about the model.
struct ModelFacts {
  int blocks = 0;
  std::vector<std::uint8_t> can_exit;  ///< [blocks], NetworkInfo::can_exit
  bool has_uncertainty = true;
  bool has_learned_variance = false;
  std::uint8_t skippable = 0;  ///< NetworkInfo::skippable
  std::vector<Precision> precisions = {Precision::Float32};
  Process process;
  std::string id;
};

/// A rule spread over the exits of the model: one entry per exit 0..blocks-1.
struct CompiledRule {
  std::vector<float> below;        ///< kNever where the network has no exit
  std::vector<std::uint8_t> hits;  ///< at least 1
  CompiledGuide guide;
  Precision precision = Precision::Float32;
  std::vector<std::uint8_t> skip = {};  ///< [blocks], the parts that are left out; empty: none
};

/// One evaluation with everything a run needs to execute it.
struct CompiledEvaluation {
  Evaluation update;          ///< as the solver wrote it
  PredictionRule prediction;  ///< what the network is asked for, and what its answer means
  int rule = 0;
  int max_exit = 0;  ///< every sample has left after this many blocks
};

struct ExecutablePlan {
  std::vector<CompiledEvaluation> evaluations;
  std::vector<CompiledRule> rules;
  int blocks = 0;
  int steps = 0;
  bool clamp = false;
  Scope scope = Scope::Sample;
  Branches branches = Branches::Together;
  PairUncertainty pair = PairUncertainty::Larger;
  Counting counting = Counting::Consecutive;

  const CompiledRule& rule_of(int evaluation) const {
    return rules[static_cast<std::size_t>(evaluations[static_cast<std::size_t>(evaluation)].rule)];
  }
  int guide_slots() const;  ///< the most predictions of guiding exits that a row keeps at a time
};

/// `settings` are the ones that `table` was written with; they are compared with plan.solver when
/// it is set. Throws InvalidArgument naming field, rule and value wherever the plan does not fit
/// model or solver.
ExecutablePlan compile(const Plan& plan, const SolverSettings& settings,
                       std::span<const Evaluation> table, const ModelFacts& model);

/// The same where a policy decides in place of the plan's thresholds: a sample may leave at every
/// exit that the network has.
ExecutablePlan compile_for_policy(const Plan& plan, const SolverSettings& settings,
                                  std::span<const Evaluation> table, const ModelFacts& model);

/// The policy that a plan's own `below` and `hits` describe.
std::shared_ptr<const ExitPolicy> threshold_policy(const ExecutablePlan& plan);

}  // namespace adadiff::detail
