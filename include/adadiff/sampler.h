// How to sample from a network: everything that a model file says about it, or that the maker of a
// network of one's own says instead.
#pragma once

#include <string>

#include <adadiff/noise_schedule.h>
#include <adadiff/plan.h>

namespace adadiff {

/// How to use a network; make_pipeline (pipeline.h) takes it. What the network embeds as time is
/// time_scale * time + time_shift.
struct SamplerModel {
  Prediction prediction = Prediction::Noise;
  SchedulePtr schedule = cosine_schedule();
  double time_scale = 1000;
  double time_shift = 0;
  double data_std = 0.5;  ///< standard deviation of the clean data around 0, for exit 0
  float image_min = -1, image_max = 1;
  SolverSettings solver;  ///< used where neither request nor plan says otherwise
  Plan default_plan;
  double default_guidance = 1;
  std::string id;  ///< compared with Plan::model; may be empty
};

}  // namespace adadiff
