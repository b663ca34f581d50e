// Sampling from a network of one's own: everything that a model file would have said about it.
#pragma once

#include <memory>
#include <string>

#include <adadiff/network.h>
#include <adadiff/noise_schedule.h>
#include <adadiff/pipeline.h>
#include <adadiff/solver.h>

namespace adadiff {

/// How to use a network. What it embeds as time is time_scale * time + time_shift.
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

/// A pipeline around a network that the caller made. Throws InvalidArgument where info() or the description is inconsistent.
Pipeline make_pipeline(std::shared_ptr<const Network> network, SamplerModel model);

}  // namespace adadiff
