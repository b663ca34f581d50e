// What a network is asked and what its answer means: the one place that knows every kind of
// prediction.
#pragma once

#include <adadiff/noise_schedule.h>

#include "core/names.h"

namespace adadiff::detail {

inline constexpr Named<Prediction> kPredictions[] = {
    {Prediction::Noise, "noise"},
    {Prediction::Clean, "clean"},
    {Prediction::Velocity, "velocity"},
    {Prediction::Flow, "flow"},
    {Prediction::FlowToData, "flow-to-data"},
    {Prediction::Preconditioned, "preconditioned"},
    {Prediction::Consistency, "consistency"}};
inline constexpr Named<TimeEmbedding> kTimeEmbeddings[] = {{TimeEmbedding::Time, "time"},
                                                           {TimeEmbedding::LogSigma, "log-sigma"}};
inline constexpr Named<ShiftType> kShiftTypes[] = {{ShiftType::Exponential, "exponential"},
                                                   {ShiftType::Linear, "linear"}};

/// A network at one time, with x = alpha clean + sigma noise.
struct PredictionRule {
  double network_time = 0;                             ///< the number that it embeds
  double input_scale = 1;                              ///< it sees input_scale * x
  double clean_from_state = 0, clean_from_output = 0;  ///< clean = the one * x + the other * output
  double target_clean = 0,
         target_noise = 0;  ///< the right output = the one * clean + the other * noise
  /// The best linear output for data N(0, data_std^2), as a factor of the network's input: what
  /// exit 0 predicts (docs/exits.md).
  double linear_output = 0;
};

/// Finite at the times of [process.min_time(), process.max_time()].
PredictionRule prediction_rule(const Process& process, double time);

/// Raises InvalidArgument, each field led by `prefix`, unless the schedule is set, all numbers are
/// finite and in their ranges, and the image range rises.
void check_process(const Process& process, const std::string& prefix);

}  // namespace adadiff::detail
