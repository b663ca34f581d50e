// How to sample from a network: everything that a model file says about it, or that the maker of a
// network of one's own says instead.
#pragma once

#include <string>

#include <adadiff/noise_schedule.h>
#include <adadiff/plan.h>

namespace adadiff {

/// How to use a network; make_pipeline (pipeline.h) takes it.
struct SamplerModel {
  Process process;
  SolverSettings solver;  ///< used where neither request nor plan says otherwise
  Plan default_plan;
  double default_guidance = 1;
  std::string id;  ///< compared with Plan::model; may be empty
};

}  // namespace adadiff
