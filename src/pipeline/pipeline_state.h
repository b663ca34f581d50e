// What a Pipeline holds: a network, how to use it, and what is derived from both once.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <adadiff/network.h>
#include <adadiff/pipeline.h>

#include "plans/compile.h"

namespace adadiff::detail {

struct PipelineState {
  std::shared_ptr<const Network> network;
  SamplerModel model;
  ModelFacts facts;
  ModelSummary summary;
};

/// Gives the library's own code access to the state of a pipeline and to the constructors of both
/// classes.
struct Access {
  static Pipeline pipeline(std::shared_ptr<const PipelineState> state) {
    return Pipeline(std::move(state));
  }
  static const PipelineState& state(const Pipeline& pipeline) { return *pipeline.state_; }
  static Run run(std::shared_ptr<RunState> state) { return Run(std::move(state)); }
};

/// Checks network and description against each other and derives the rest; what only a file knows
/// stays empty in the summary. Throws InvalidArgument.
std::shared_ptr<PipelineState> make_pipeline_state(std::shared_ptr<const Network> network,
                                                   SamplerModel model);

}  // namespace adadiff::detail
