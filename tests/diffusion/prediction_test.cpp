// What a network is asked and what its answer means, for every prediction on every schedule.
#include "diffusion/prediction.h"

#include <cmath>

#include <gmock/gmock.h>

namespace adadiff::detail {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr double kClean = 0.37, kNoise = -1.21;  // of one value

Process process_of(Prediction prediction, const std::string& schedule) {
  Process process{.prediction = prediction, .schedule = find_schedule(schedule)};
  process.data_std = 0.6;
  return process;
}

double state_at(const Process& process, double time) {
  return process.schedule->alpha(time) * kClean + process.schedule->sigma(time) * kNoise;
}

class EveryPrediction : public testing::TestWithParam<std::tuple<Prediction, std::string>> {
 protected:
  Process process = process_of(std::get<0>(GetParam()), std::get<1>(GetParam()));
  std::vector<double> times() const {
    const double low = process.min_time(), high = process.max_time();
    return {low, low + 0.1 * (high - low), low + 0.6 * (high - low), high};
  }
};
INSTANTIATE_TEST_SUITE_P(Predictions, EveryPrediction,
                         testing::Combine(testing::Values(Prediction::Noise, Prediction::Clean,
                                                          Prediction::Velocity, Prediction::Flow,
                                                          Prediction::FlowToData),
                                          testing::ValuesIn(schedule_names())),
                         [](const auto& tested) {
                           std::string name = name_of(kPredictions, std::get<0>(tested.param)) +
                                              std::string("_") + std::get<1>(tested.param);
                           std::erase(name, '-');
                           return name;
                         });

TEST_P(EveryPrediction, GivesTheCleanImageBackFromTheRightOutput) {
  for (const double time : times()) {
    const PredictionRule rule = prediction_rule(process, time);
    const double output = rule.target_clean * kClean + rule.target_noise * kNoise;
    const double clean = rule.clean_from_state * state_at(process, time) +
                         rule.clean_from_output * output;
    // Where alpha is e^-6 the clean image is the small difference of two large numbers.
    EXPECT_NEAR(clean, kClean, 1e-11) << time;
  }
}

TEST_P(EveryPrediction, KnowsTheBestLinearOutput) {
  for (const double time : times()) {
    const PredictionRule rule = prediction_rule(process, time);
    const double alpha = process.schedule->alpha(time), sigma = process.schedule->sigma(time);
    // E[clean | x] of data N(0, s^2), by regression on x.
    const double variance = alpha * alpha * 0.36 + sigma * sigma;
    const double clean_per_state = alpha * 0.36 / variance;
    const double output_per_state = rule.linear_output * rule.input_scale;
    EXPECT_NEAR(rule.clean_from_state + rule.clean_from_output * output_per_state, clean_per_state,
                1e-9)
        << time;
  }
}

TEST(PredictionRule, StatesTheTargetsByTheirDefinitions) {
  const auto target = [](Prediction prediction) {
    const PredictionRule rule = prediction_rule(process_of(prediction, "linear-flow"), 0.3);
    return rule.target_clean * kClean + rule.target_noise * kNoise;
  };
  EXPECT_DOUBLE_EQ(target(Prediction::Noise), kNoise);
  EXPECT_DOUBLE_EQ(target(Prediction::Clean), kClean);
  EXPECT_DOUBLE_EQ(target(Prediction::Velocity), 0.7 * kNoise - 0.3 * kClean);
  EXPECT_DOUBLE_EQ(target(Prediction::Flow), kNoise - kClean);
  EXPECT_DOUBLE_EQ(target(Prediction::FlowToData), kClean - kNoise);
}

/// Karras et al. 2022, table 1, column "Ours": c_skip, c_out, c_in and c_noise of sigma.
TEST(PredictionRule, PreconditionsAsKarrasEtAl) {
  Process process = process_of(Prediction::Preconditioned, "karras");
  process.embeds = TimeEmbedding::LogSigma;
  process.time_scale = 0.25;
  for (const double time : {0.3, 0.7, 1.0}) {
    const double sigma = process.schedule->sigma(time), s = 0.6;
    const PredictionRule rule = prediction_rule(process, time);
    const double skip = s * s / (sigma * sigma + s * s);
    const double out = sigma * s / std::sqrt(sigma * sigma + s * s);
    EXPECT_NEAR(rule.clean_from_state, skip, 1e-12 * skip);
    EXPECT_NEAR(rule.clean_from_output, out, 1e-12 * out);
    EXPECT_NEAR(rule.input_scale, 1 / std::sqrt(sigma * sigma + s * s), 1e-12);
    EXPECT_NEAR(rule.network_time, std::log(sigma) / 4, 1e-12);
    const double x = kClean + sigma * kNoise;
    EXPECT_NEAR(rule.target_clean * kClean + rule.target_noise * kNoise, (kClean - skip * x) / out,
                1e-9);
  }
}

/// c_skip and c_out as consistency_models/karras_diffusion.py computes them
/// (get_scalings_for_boundary_condition).
TEST(PredictionRule, GivesTheStateBackAtTheLeastNoiseOfAConsistencyModel) {
  const Process process = process_of(Prediction::Consistency, "karras");
  for (const double time : {0.3, 0.7, 1.0}) {
    const double sigma = process.schedule->sigma(time), s = 0.6, least = 0.002;
    const PredictionRule rule = prediction_rule(process, time);
    const double skip = s * s / ((sigma - least) * (sigma - least) + s * s);
    const double out = (sigma - least) * s / std::sqrt(sigma * sigma + s * s);
    EXPECT_NEAR(rule.clean_from_state, skip, 1e-11 * skip);
    EXPECT_NEAR(rule.clean_from_output, out, 1e-11 * out);
    EXPECT_NEAR(rule.input_scale, 1 / std::sqrt(sigma * sigma + s * s), 1e-12);
  }
  const PredictionRule rule = prediction_rule(process, process.min_time());
  EXPECT_NEAR(rule.clean_from_state, 1, 1e-12);
  EXPECT_NEAR(rule.clean_from_output, 0, 1e-8);
}

TEST(PredictionRule, ScalesAndShiftsTime) {
  Process process = process_of(Prediction::Flow, "linear-flow");
  process.time_scale = -1;
  process.time_shift = 1;
  EXPECT_DOUBLE_EQ(prediction_rule(process, 0.3).network_time, 0.7);
}

void expect_refused(const Process& process, const std::string& message) {
  EXPECT_THAT([&] { check_process(process, "model."); },
              ThrowsMessage<InvalidArgument>(HasSubstr(message)));
}

TEST(CheckProcess, RefusesWhatCannotBe) {
  expect_refused({.schedule = nullptr}, "model.schedule: must be set, but is null");
  expect_refused({.time_scale = 0}, "model.time_scale: must not be 0, but is 0");
  expect_refused({.time_scale = NAN}, "model.time_scale: must be finite, but is nan");
  expect_refused({.time_shift = INFINITY}, "model.time_shift: must be finite, but is inf");
  expect_refused({.grid_shift = 0}, "model.grid_shift: must be in [0.01, 100], but is 0");
  expect_refused({.data_std = 0}, "model.data_std: must be in [1e-06, 1e+06], but is 0");
  expect_refused({.image_min = 1, .image_max = 1},
                 "model.image_min: must be below image_max = 1, but is 1");
}

}  // namespace
}  // namespace adadiff::detail
