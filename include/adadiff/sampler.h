// How to sample from a network: what a model file says about it, or what the author of a custom
// network says instead.
#pragma once

#include <string>

#include <adadiff/noise_schedule.h>
#include <adadiff/plan.h>

namespace adadiff {

/// How to use a network; make_pipeline (pipeline.h) takes it.
struct SamplerModel {
  Process process;
  SolverSettings solver;  ///< used where neither the request nor the plan says otherwise
  Plan default_plan;
  double default_guidance = 1;
  std::string id;  ///< id of the model, compared with Plan::model; may be empty
};

}  // namespace adadiff
