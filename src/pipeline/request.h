// Turns what a caller asks for into what a run executes.
#pragma once

#include <optional>
#include <vector>

#include <adadiff/pipeline.h>

#include "pipeline/pipeline_state.h"
#include "sampling/sample_job.h"

namespace adadiff::detail {

/// Raises InvalidArgument for the first field that is out of range or does not fit the model,
/// naming field and value.
void check_request(const Request& request, const PipelineState& pipeline);

/// The plan and the solver settings that a request means.
struct PlannedRun {
  Plan plan;
  SolverSettings solver;
};
PlannedRun choose_plan(const Request& request, const SamplerModel& model);

/// The solver's table for these settings. `start` is the first time, in (0, 1]; unset for a run
/// from noise. Throws InvalidArgument.
std::vector<Evaluation> write_table(const SolverSettings& settings, const ModelFacts& model,
                                    std::optional<double> start = {});

/// Checks the whole request and makes the job of its run. Throws InvalidArgument.
SampleJob make_job(const Request& request, const PipelineState& pipeline);

}  // namespace adadiff::detail
