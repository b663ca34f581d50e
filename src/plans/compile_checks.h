// Checks whether a plan fits the model and the settings of a run.
#pragma once

#include "plans/compile.h"

namespace adadiff::detail {

/// Raises InvalidArgument unless the model has blocks, exits and a schedule that agree with each
/// other.
void check_facts(const ModelFacts& model);
/// Raises InvalidArgument for a plan made for another model, another solver or another number of
/// evaluations.
void check_origin(const Plan& plan, const SolverSettings& settings, std::size_t evaluations,
                  const ModelFacts& model);
/// Raises InvalidArgument for columns of rule number `rule` that this build does not run, or that
/// do not fit the model.
void check_rule_fits(const Plan& plan, std::size_t rule, const ModelFacts& model);

/// Raises InvalidArgument for columns of a solver's evaluation number `index` that this build does
/// not run, and for a time at which the network cannot be evaluated.
void check_evaluation_runs(const Evaluation& evaluation, std::size_t index,
                           const ModelFacts& model);

}  // namespace adadiff::detail
