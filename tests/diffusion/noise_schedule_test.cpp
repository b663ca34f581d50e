// Noise schedules against their definitions: ends, monotony, slopes, inverse, published values,
// refusals.
#include <adadiff/noise_schedule.h>

#include <cmath>
#include <numbers>

#include <gmock/gmock.h>

#include <adadiff/error.h>

namespace adadiff {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class EverySchedule : public testing::TestWithParam<std::string> {
 protected:
  SchedulePtr schedule = find_schedule(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Schedules, EverySchedule, testing::ValuesIn(schedule_names()),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST_P(EverySchedule, StartsAtTheCleanImageExactly) {
  EXPECT_EQ(schedule->alpha(0), 1.0);
  EXPECT_EQ(schedule->sigma(0), 0.0);
  EXPECT_FALSE(std::signbit(schedule->sigma(0)));
}

/// Those with alpha^2 + sigma^2 = 1.
class VariancePreserving : public EverySchedule {};
INSTANTIATE_TEST_SUITE_P(Schedules, VariancePreserving,
                         testing::Values("vp-linear", "ddpm-linear", "scaled-linear", "cosine",
                                         "nichol-dhariwal"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST_P(VariancePreserving, KeepsTheSumOfSquares) {
  for (int i = 0; i <= 1000; ++i) {
    const double alpha = schedule->alpha(i / 1000.0), sigma = schedule->sigma(i / 1000.0);
    EXPECT_NEAR(alpha * alpha + sigma * sigma, 1, 1e-14) << i;
  }
}

TEST_P(EverySchedule, LogSnrFallsStrictlyWithTime) {
  double before = INFINITY;
  for (int i = 1; i <= 20000; ++i) {
    const double now = schedule->log_snr(i / 20000.0);
    ASSERT_LT(now, before) << i;
    before = now;
  }
}

TEST_P(EverySchedule, LogSnrIsTwiceTheLogarithmOfAlphaOverSigma) {
  for (const double time : {1e-6, 0.01, 0.3, 0.7, 0.99}) {
    const double expected = 2 * std::log(schedule->alpha(time) / schedule->sigma(time));
    EXPECT_NEAR(schedule->log_snr(time), expected, 1e-12 * std::abs(expected) + 1e-12);
  }
}

TEST_P(EverySchedule, SlopeIsTheDerivativeOfLogAlpha) {
  for (const double time :
       {0.0105, 0.2505, 0.5005, 0.7505, 0.9505}) {  // inside the segments of a discrete schedule
    const double step = 1e-5;
    const double difference = (schedule->log_alpha(time + step) -
                               schedule->log_alpha(time - step)) /
                              (2 * step);
    EXPECT_NEAR(schedule->log_alpha_slope(time), difference, 1e-6 * std::abs(difference)) << time;
  }
}

TEST_P(VariancePreserving, DiffusesByMinusTwiceTheSlope) {
  EXPECT_EQ(schedule->diffusion(0.4), -2 * schedule->log_alpha_slope(0.4));
}

TEST_P(EverySchedule, DiffusionIsVarianceTimesTheFallOfLogSnr) {
  for (const double time : {0.2505, 0.5005, 0.9505}) {  // inside discrete segments
    const double step = 1e-5;
    const double slope = (schedule->log_snr(time + step) - schedule->log_snr(time - step)) /
                         (2 * step);
    const double expected = -std::pow(schedule->sigma(time), 2) * slope;
    EXPECT_NEAR(schedule->diffusion(time), expected, 1e-5 * expected) << time;
  }
}

TEST_P(VariancePreserving, HasAFiniteSlopeOverTheWholeRange) {
  EXPECT_TRUE(std::isfinite(schedule->log_alpha_slope(schedule->min_time())));
  EXPECT_TRUE(std::isfinite(schedule->log_alpha_slope(schedule->max_time())));
  EXPECT_LT(schedule->log_alpha_slope(schedule->max_time()), 0);
}

TEST_P(VariancePreserving, IsUsedWhereLogSnrIsBetweenMinus12And14) {
  EXPECT_LE(schedule->log_snr(schedule->min_time()), 14 + 1e-9);
  EXPECT_GE(schedule->log_snr(schedule->max_time()), -12 - 1e-9);
  EXPECT_LE(schedule->max_time(), 1);
  EXPECT_GT(schedule->min_time(), 0);
}

TEST_P(EverySchedule, TimeAtInvertsLogSnr) {
  for (const double time : {0.002, 0.1, 0.5, 0.9, 0.99}) {
    if (time < schedule->min_time()) continue;
    EXPECT_NEAR(schedule->time_at(schedule->log_snr(time)), time, 1e-13);
  }
}

TEST_P(EverySchedule, TimeAtIsClippedToTheRange) {
  EXPECT_EQ(schedule->time_at(1e9), schedule->min_time());
  EXPECT_EQ(schedule->time_at(INFINITY), schedule->min_time());
  EXPECT_EQ(schedule->time_at(-1e9), schedule->max_time());
}

TEST_P(EverySchedule, ComesBackFromNameAndParameters) {
  const SchedulePtr again = find_schedule(schedule->name(), schedule->parameters());
  for (const double time : {0.001, 0.33, 1.0})
    EXPECT_EQ(again->log_alpha(time), schedule->log_alpha(time));
}

TEST_P(VariancePreserving, KeepsRelativePrecisionOfSigmaNearTimeZero) {
  // sigma^2 = 2 integral of -slope; over a tiny time the slope is all but constant or linear: the
  // trapezium is exact to 1e-6.
  const double time = 1e-7;
  const double expected = -(schedule->log_alpha_slope(0) + schedule->log_alpha_slope(time)) * time;
  EXPECT_NEAR(schedule->sigma(time) * schedule->sigma(time) / expected, 1, 1e-6);
}

TEST(VpLinear, FollowsItsIntegralOfBeta) {
  const auto schedule = vp_linear_schedule(0.1, 20);
  EXPECT_NEAR(schedule->alpha(1), std::exp(-0.25 * 20.1), 1e-15);
  EXPECT_NEAR(schedule->diffusion(0.25), 0.1 + 0.25 * 19.9, 1e-14);
}

TEST(VpLinear, ReachesTimeOne) { EXPECT_EQ(vp_linear_schedule()->max_time(), 1); }

TEST(DdpmLinear, IsTheProductOfOneMinusBeta) {
  const auto schedule = ddpm_linear_schedule();
  double product = 1;
  for (int i = 0; i < 1000; ++i) {
    product *= 1 - (1e-4 + (0.02 - 1e-4) * i / 999);
    const double alpha = schedule->alpha((i + 1) / 1000.0);
    ASSERT_NEAR(alpha * alpha / product, 1, 1e-11) << i;
  }
}

TEST(ScaledLinear, SquaresLinearRoots) {
  const auto schedule = scaled_linear_schedule();
  double product = 1;
  for (int i = 0; i < 1000; ++i) {
    const double root = std::sqrt(0.00085) + (std::sqrt(0.012) - std::sqrt(0.00085)) * i / 999;
    product *= 1 - root * root;
    const double alpha = schedule->alpha((i + 1) / 1000.0);
    ASSERT_NEAR(alpha * alpha / product, 1, 1e-11) << i;
  }
}

TEST(DiscreteBetas, AreLinearInLogAlphaBetweenKnownTimes) {
  const auto schedule = ddpm_linear_schedule();
  const double middle = (schedule->log_alpha(0.5) + schedule->log_alpha(0.501)) / 2;
  EXPECT_NEAR(schedule->log_alpha(0.5005), middle, 1e-14);
}

TEST(DiscreteBetas, HaveTheSlopeOfTheSegmentBelowAtEveryKnownTime) {
  const auto schedule = ddpm_linear_schedule();
  for (int i = 1; i <= 1000; ++i) {
    const double below = (i - 0.5) / 1000;
    ASSERT_EQ(schedule->log_alpha_slope(i / 1000.0), schedule->log_alpha_slope(below)) << i;
  }
}

TEST(DiscreteBetas, AreNotUsedBelowTheirFirstStep) {
  EXPECT_EQ(ddpm_linear_schedule()->min_time(), 0.001);
  EXPECT_EQ(scaled_linear_schedule(500, 0.001, 0.02)->min_time(), 1 / 500.0);
  EXPECT_EQ(ddpm_linear_schedule()->discrete_steps(), 1000);
  EXPECT_EQ(vp_linear_schedule()->discrete_steps(), 0);
}

TEST(DiscreteBetas, MayHaveOneStep) {
  const auto schedule = ddpm_linear_schedule(1, 0.9, 0.9);
  EXPECT_NEAR(schedule->alpha(1), std::sqrt(0.1), 1e-15);
}

TEST(Cosine, IsTheCosineOfAQuarterTurn) {
  const auto schedule = cosine_schedule();
  EXPECT_NEAR(schedule->alpha(1.0 / 3), std::cos(std::numbers::pi / 6), 1e-15);
  EXPECT_NEAR(schedule->sigma(2.0 / 3), std::sin(std::numbers::pi / 3), 1e-15);
  EXPECT_LT(schedule->max_time(), 1);
}

TEST(NicholDhariwal, FollowsEquation17) {
  const auto schedule = nichol_dhariwal_schedule();
  const auto f = [](double t) {
    return std::pow(std::cos((t + 0.008) / 1.008 * std::numbers::pi / 2), 2);
  };
  for (const double time : {0.01, 0.4, 0.9}) {
    EXPECT_NEAR(std::pow(schedule->alpha(time), 2), f(time) / f(0), 1e-14);
  }
}

TEST(NicholDhariwal, WithoutOffsetIsTheCosine) {
  EXPECT_NEAR(nichol_dhariwal_schedule(0)->log_alpha(0.7), cosine_schedule()->log_alpha(0.7),
              1e-14);
}

TEST(LinearFlow, IsTheStraightPath) {
  const auto schedule = linear_flow_schedule();
  EXPECT_DOUBLE_EQ(schedule->alpha(0.3), 0.7);
  EXPECT_EQ(schedule->sigma(0.3), 0.3);
  EXPECT_EQ(schedule->alpha(1), 0);
  EXPECT_EQ(schedule->max_time(), 1);
  EXPECT_EQ(schedule->start_deviation(1), 1);
}

TEST(Karras, IsUniformInSigmaToTheOneOverRho) {
  const auto schedule = karras_schedule(0.002, 80, 7);
  EXPECT_NEAR(schedule->sigma(schedule->min_time()), 0.002, 1e-15);
  EXPECT_EQ(schedule->sigma(1), 80);
  EXPECT_EQ(schedule->alpha(0.5), 1);
  EXPECT_EQ(schedule->start_deviation(1), 80);
  // Their equation 5 for i = 3 of 18 steps.
  const double from = std::pow(80, 1.0 / 7), to = std::pow(0.002, 1.0 / 7);
  const double sigma = std::pow(from + 3.0 / 17 * (to - from), 7);
  const auto times = time_grid("uniform", {.prediction = Prediction::Clean, .schedule = schedule},
                               18);
  EXPECT_NEAR(schedule->sigma(times[3]) / sigma, 1, 1e-12);
  EXPECT_NEAR(schedule->sigma(times[17]) / 0.002, 1, 1e-12);
}

TEST(Process, StartsWhereNoiseCanBeToldFromThePrediction) {
  const Process flow{.prediction = Prediction::Flow, .schedule = linear_flow_schedule()};
  EXPECT_EQ(flow.max_time(), 1);
  const Process noise{.prediction = Prediction::Noise, .schedule = linear_flow_schedule()};
  EXPECT_NEAR(noise.schedule->log_snr(noise.max_time()), -12, 1e-9);
}

TEST(FindSchedule, TakesTheParametersGivenAndDefaultsForTheRest) {
  const auto schedule = find_schedule("vp-linear", {{"beta_max", 10}});
  EXPECT_THAT(schedule->parameters(),
              testing::ElementsAre(testing::Pair("beta_min", 0.1), testing::Pair("beta_max", 10)));
}

void expect_refused(std::string_view name, const ScheduleParameters& parameters,
                    const std::string& message) {
  EXPECT_THAT([&] { find_schedule(name, parameters); },
              ThrowsMessage<InvalidArgument>(HasSubstr(message)));
}

TEST(FindSchedule, RefusesAnUnknownNameListingThoseThereAre) {
  expect_refused(
      "linear", {},
      R"(noise schedule: must be one of vp-linear, ddpm-linear, scaled-linear, cosine, nichol-dhariwal, linear-flow, karras, but is "linear")");
}

TEST(FindSchedule, RefusesUnknownParameters) {
  expect_refused("vp-linear", {{"beta", 1}},
                 R"(must have only the parameters beta_min, beta_max, but has "beta")");
  expect_refused("cosine", {{"offset", 1}},
                 R"(noise schedule cosine: must have no parameters, but has "offset")");
}

TEST(FindSchedule, RefusesAParameterGivenTwice) {
  expect_refused("vp-linear", {{"beta_min", 1}, {"beta_min", 1}},
                 "vp-linear.beta_min: must be given once, but is given twice");
}

TEST(FindSchedule, RefusesValuesOutOfRange) {
  expect_refused("vp-linear", {{"beta_min", 0}},
                 "vp-linear.beta_min: must be in [1e-04, 100], but is 0");
  expect_refused("vp-linear", {{"beta_max", NAN}},
                 "vp-linear.beta_max: must be in [0.1, 1000], but is nan");
  expect_refused("ddpm-linear", {{"steps", 0.5}},
                 "ddpm-linear.steps: must be a whole number in [1, 100000], but is 0.5");
  expect_refused("scaled-linear", {{"steps", 1e300}},
                 "scaled-linear.steps: must be a whole number");
  expect_refused("ddpm-linear", {{"first", 0}},
                 "ddpm-linear.first: must be in [1e-08, 0.999], but is 0");
  expect_refused("ddpm-linear", {{"last", 1}},
                 "ddpm-linear.last: must be in [1e-04, 0.999], but is 1");
  expect_refused("nichol-dhariwal", {{"offset", 1}},
                 "nichol-dhariwal.offset: must be in [0, 0.1], but is 1");
  expect_refused("karras", {{"sigma_max", 0.001}}, "karras.sigma_max: must be in [0.004, 1e+05]");
  EXPECT_THAT([] { ddpm_linear_schedule(0); },
              ThrowsMessage<InvalidArgument>(
                  HasSubstr("ddpm-linear.steps: must be in [1, 100000], but is 0")));
}

TEST(FindSchedule, RefusesAScheduleThatNeverReachesNoise) {
  expect_refused("ddpm-linear", {{"steps", 10}},
                 "ddpm-linear: must have a log-SNR below 0 at time 1, but has ");
  expect_refused("vp-linear", {{"beta_max", 0.1}}, "use larger betas");
}

}  // namespace
}  // namespace adadiff
