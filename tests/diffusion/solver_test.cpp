// Each solver's table against a second formulation of the published algorithm, run on a denoiser
// that is not linear.
#include <adadiff/solver.h>

#include <cmath>

#include <gmock/gmock.h>

#include <adadiff/error.h>

namespace adadiff {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

double denoise(double x, double time) { return std::tanh(1.3 * x) * (1 - 0.4 * time) + 0.1; }

/// Executes a table for one number; `noise` gives z of each evaluation.
double execute(const std::vector<Evaluation>& table, double x, double (*noise)(std::size_t)) {
  double base = x;
  std::array<double, kPredictionHistory> clean{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    const Evaluation& e = table[i];
    if (e.stage == 0) base = x;
    for (std::size_t k = clean.size() - 1; k > 0; --k) clean[k] = clean[k - 1];
    clean[0] = denoise(x, e.time);
    x = e.state * x + e.base * base + (e.noise != 0 ? e.noise * noise(i) : 0);
    for (std::size_t k = 0; k < clean.size(); ++k) x += e.prediction[k] * clean[k];
  }
  return x;
}

double some_noise(std::size_t i) { return std::sin(3.7 * static_cast<double>(i) + 1); }
double no_noise(std::size_t) { return NAN; }

struct Setting {
  SchedulePtr schedule;
  std::vector<double> times;
  SolverInputs inputs(double eta = 0) const { return {*schedule, times, eta}; }
};

Setting setting(const std::string& schedule, int steps, const std::string& grid = "uniform") {
  SchedulePtr made = find_schedule(schedule);
  return {made, time_grid(grid, *made, steps)};
}

class OnEverySchedule : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Schedules, OnEverySchedule, testing::ValuesIn(schedule_names()),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST_P(OnEverySchedule, DdimIsPredictedCleanPlusDirectionPlusNoise) {
  for (const double eta : {0.0, 0.35, 1.0}) {
    const Setting at = setting(GetParam(), 13);
    double x = 0.8;
    for (std::size_t i = 0; i + 1 < at.times.size(); ++i) {
      const double a_t = std::pow(at.schedule->alpha(at.times[i]), 2),
                   a_s = std::pow(at.schedule->alpha(at.times[i + 1]), 2);
      const double clean = denoise(x, at.times[i]);
      const double noise = (x - std::sqrt(a_t) * clean) / std::sqrt(1 - a_t);
      const double hat = eta * std::sqrt((1 - a_s) / (1 - a_t)) * std::sqrt(1 - a_t / a_s);
      x = std::sqrt(a_s) * clean + std::sqrt(std::max(0.0, 1 - a_s - hat * hat)) * noise +
          (hat > 0 ? hat * some_noise(i) : 0);
    }
    EXPECT_NEAR(execute(find_solver("ddim")(at.inputs(eta)), 0.8, some_noise), x, 1e-9)
        << "eta " << eta;
  }
}

TEST_P(OnEverySchedule, DdimWithEtaOneIsDdpm) {
  const Setting at = setting(GetParam(), 20);
  const auto ddim = find_solver("ddim")(at.inputs(1)), ddpm = find_solver("ddpm")(at.inputs());
  for (std::size_t i = 0; i < ddim.size(); ++i) {
    EXPECT_NEAR(ddim[i].state, ddpm[i].state, 1e-12);
    EXPECT_NEAR(ddim[i].prediction[0], ddpm[i].prediction[0], 1e-12);
    EXPECT_NEAR(ddim[i].noise, ddpm[i].noise, 1e-12);
  }
}

TEST_P(OnEverySchedule, DpmppIsTheTwoStepMultistepOfItsPaper) {
  const Setting at = setting(GetParam(), 9, "logsnr");
  const auto lambda = [&](double t) {
    return std::log(at.schedule->alpha(t) / at.schedule->sigma(t));
  };
  double x = -0.6, before = 0;
  for (std::size_t i = 0; i + 1 < at.times.size(); ++i) {
    const double t = at.times[i], s = at.times[i + 1], clean = denoise(x, t);
    if (s == 0) {
      x = clean;
      break;
    }
    const double h = lambda(s) - lambda(t),
                 r = i > 0 ? (lambda(t) - lambda(at.times[i - 1])) / h : 1;
    const double direction = i > 0 ? clean + (clean - before) / (2 * r) : clean;
    x = at.schedule->sigma(s) / at.schedule->sigma(t) * x -
        at.schedule->alpha(s) * (std::exp(-h) - 1) * direction;
    before = clean;
  }
  EXPECT_NEAR(execute(find_solver("dpmpp-2m")(at.inputs()), -0.6, no_noise), x, 1e-9);
}

TEST_P(OnEverySchedule, HeunIsTheTrapeziumRuleOverSigmaByAlpha) {
  const Setting at = setting(GetParam(), 8, "quadratic");
  const auto k = [&](double t) { return at.schedule->sigma(t) / at.schedule->alpha(t); };
  double y = 0.9 / at.schedule->alpha(at.times[0]);
  for (std::size_t i = 0; i + 1 < at.times.size(); ++i) {
    const double t = at.times[i], s = at.times[i + 1];
    const double slope = (y - denoise(at.schedule->alpha(t) * y, t)) / k(t);
    const double euler = y + (k(s) - k(t)) * slope;
    if (s == 0) {
      y = euler;
      break;
    }
    const double end_slope = (euler - denoise(at.schedule->alpha(s) * euler, s)) / k(s);
    y += (k(s) - k(t)) * (slope + end_slope) / 2;
  }
  EXPECT_NEAR(execute(find_solver("heun")(at.inputs()), 0.9, no_noise), y, 1e-9);
}

TEST(Ddpm, IsEquation7OfItsPaperAt1000Steps) {
  const Setting at = setting("ddpm-linear", 1000);
  const auto table = find_solver("ddpm")(at.inputs());
  double product = 1;  // alpha-bar up to the step before
  for (int i = 0; i < 1000; ++i) {
    const double beta = 1e-4 + (0.02 - 1e-4) * i / 999, next = product * (1 - beta);
    const Evaluation& e = table[static_cast<std::size_t>(999 - i)];
    ASSERT_NEAR(e.prediction[0], std::sqrt(product) * beta / (1 - next), 1e-9) << i;
    ASSERT_NEAR(e.state, std::sqrt(1 - beta) * (1 - product) / (1 - next), 1e-9) << i;
    ASSERT_NEAR(e.noise, std::sqrt((1 - product) / (1 - next) * beta), 1e-9) << i;
    product = next;
  }
}

TEST(EulerMaruyama, IsTheReverseSdeOfVpLinear) {
  const Setting at = setting("vp-linear", 1000);
  double x = 0.7;
  for (std::size_t i = 0; i < 1000; ++i) {
    const double t = at.times[i], h = at.times[i] - at.times[i + 1], beta = 0.1 + t * 19.9;
    const double alpha = at.schedule->alpha(t),
                 score = -(x - alpha * denoise(x, t)) / (1 - alpha * alpha);
    x -= h * (-0.5 * beta * x - beta * score);
    if (i < 999) x += std::sqrt(beta * h) * some_noise(i);
  }
  EXPECT_NEAR(execute(find_solver("euler-maruyama")(at.inputs()), 0.7, some_noise), x, 1e-8);
}

TEST(Heun, EvaluatesTwiceButInTheLastStep) {
  const Setting at = setting("cosine", 3);
  const auto table = find_solver("heun")(at.inputs());
  ASSERT_EQ(table.size(), 5u);
  const int steps[] = {0, 0, 1, 1, 2}, stages[] = {0, 1, 0, 1, 0};
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(table[i].step, steps[i]);
    EXPECT_EQ(table[i].stage, stages[i]);
  }
  EXPECT_EQ(table[1].time, table[0].next_time);
  EXPECT_EQ(table[1].next_time, table[2].time);
}

class EverySolver : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Solvers, EverySolver, testing::ValuesIn(solver_names()),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST_P(EverySolver, WritesFiniteTablesFromOneToTenThousandSteps) {
  for (const std::string& schedule : schedule_names()) {
    for (const int steps : {1, 2, 10000}) {
      const Setting at = setting(schedule, steps, steps == 10000 ? "uniform" : "logsnr");
      for (const Evaluation& e : find_solver(GetParam())(at.inputs())) {
        const double sum = e.state + e.base + e.noise + e.prediction[0] + e.prediction[1] +
                           e.prediction[2];
        ASSERT_TRUE(std::isfinite(sum)) << schedule << ", " << steps << " steps, time " << e.time;
      }
    }
  }
}

TEST_P(EverySolver, EndsAtTimeZeroWithoutNoise) {
  const Setting at = setting("vp-linear", 10);
  const auto table = find_solver(GetParam())(at.inputs());
  EXPECT_EQ(table.back().next_time, 0);
  EXPECT_EQ(table.back().noise, 0);
}

TEST_P(EverySolver, NumbersStepsAndFollowsTheGrid) {
  const Setting at = setting("cosine", 6, "quadratic");
  for (const Evaluation& e : find_solver(GetParam())(at.inputs())) {
    const auto step = static_cast<std::size_t>(e.step);
    EXPECT_EQ(e.time, at.times[e.stage == 0 ? step : step + 1]);
    EXPECT_EQ(e.next_time, at.times[step + 1]);
  }
}

TEST_P(EverySolver, RefusesTimesThatDoNotFall) {
  const auto schedule = vp_linear_schedule();
  const std::vector<double> times{0.9, 0.9, 0};
  EXPECT_THAT(
      [&] {
        find_solver(GetParam())({*schedule, times});
      },
      ThrowsMessage<InvalidArgument>(
          HasSubstr("times[1]: must be smaller than times[0] = 0.9, but is 0.9")));
}

TEST_P(EverySolver, EndsInThePredictedCleanImageUnlessItIsTheExplicitSdeStep) {
  const Setting at = setting("scaled-linear", 5);
  const Evaluation last = find_solver(GetParam())(at.inputs()).back();
  const bool is_clean_image = last.state == 0 && last.base == 0 &&
                              last.prediction == std::array<double, kPredictionHistory>{1, 0, 0};
  EXPECT_EQ(is_clean_image, GetParam() != "euler-maruyama");
}

void expect_refused(const std::vector<double>& times, double eta, const std::string& message) {
  const auto schedule = cosine_schedule();
  EXPECT_THAT(
      [&] {
        find_solver("ddim")({*schedule, times, eta});
      },
      ThrowsMessage<InvalidArgument>(HasSubstr(message)));
}

TEST(Solver, RefusesGridsThatItCannotWalk) {
  expect_refused({}, 0, "times: must have 2 to 10001 entries, but has 0");
  expect_refused(std::vector<double>(10002, 0.5), 0,
                 "times: must have 2 to 10001 entries, but has 10002");
  expect_refused({0.9, 0.1}, 0, "times[1]: must be 0, as the last time, but is 0.1");
  expect_refused({0.9, NAN, 0}, 0, "times[1]: must be smaller than times[0] = 0.9, but is nan");
  expect_refused({NAN, 0.5, 0}, 0, "times[0]: must be in [");
  expect_refused({1, 0.5, 0}, 0, "], but is 1");
  expect_refused({0.5, 1e-9, 0}, 0, "], but is 1e-09");
  expect_refused({0.5, 0, 0}, 0, "times[1]: must be in [");
}

TEST(Solver, RefusesEtaOutOfRange) {
  expect_refused({0.5, 0}, 1.5, "eta: must be in [0, 1], but is 1.5");
  expect_refused({0.5, 0}, NAN, "eta: must be in [0, 1], but is nan");
}

TEST(Solver, RefusesEtaWhereTheSolverHasNone) {
  const Setting at = setting("cosine", 4);
  for (const char* name : {"ddpm", "euler-maruyama", "dpmpp-2m", "heun"}) {
    EXPECT_THAT(
        [&] { find_solver(name)(at.inputs(0.5)); },
        ThrowsMessage<InvalidArgument>(HasSubstr(std::string("eta: must be 0 with solver ") + name +
                                                 ", but is 0.5; only ddim takes eta")));
  }
}

TEST(FindSolver, RefusesAnUnknownNameListingThoseThereAre) {
  EXPECT_THAT(
      [] { find_solver("plms"); },
      ThrowsMessage<InvalidArgument>(HasSubstr(
          R"(solver: must be one of ddim, ddpm, euler-maruyama, dpmpp-2m, heun, but is "plms")")));
}

}  // namespace
}  // namespace adadiff
