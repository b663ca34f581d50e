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
  return {made, time_grid(grid, {.schedule = made}, steps)};
}

class OnEverySchedule : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Schedules, OnEverySchedule, testing::ValuesIn(schedule_names()),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST_P(OnEverySchedule, DdimIsPredictedCleanPlusDirectionPlusNoise) {
  for (const double eta : {0.0, 0.35, 1.0}) {
    const Setting at = setting(GetParam(), 13);
    double x = 0.8;
    for (std::size_t i = 0; i + 1 < at.times.size(); ++i) {
      const double t = at.times[i], s = at.times[i + 1];
      const double alpha_t = at.schedule->alpha(t), sigma_t = at.schedule->sigma(t);
      const double alpha_s = at.schedule->alpha(s), sigma_s = at.schedule->sigma(s);
      const double clean = denoise(x, t);
      const double noise = (x - alpha_t * clean) / sigma_t;
      const double added = sigma_t * sigma_t - std::pow(alpha_t / alpha_s * sigma_s, 2);
      const double hat = eta * sigma_s / sigma_t * std::sqrt(added);
      x = alpha_s * clean + std::sqrt(std::max(0.0, sigma_s * sigma_s - hat * hat)) * noise +
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

TEST_P(OnEverySchedule, HeunEdmIsTheTrapeziumRuleOverSigmaByAlpha) {
  const Setting at = setting(GetParam(), 12, "karras");
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
  EXPECT_NEAR(execute(find_solver("heun-edm")(at.inputs()), 0.9, no_noise), y, 1e-9);
}

/// Of e^(u - h) (D_t + (D_s - D_t) u / h) over [0, h], by Simpson's rule.
double weighted(double at_t, double at_s, double h) {
  constexpr int kPieces = 2000;
  double sum = 0;
  for (int i = 0; i <= kPieces; ++i) {
    const double u = h * i / kPieces;
    const double value = std::exp(u - h) * (at_t + (at_s - at_t) * u / h);
    sum += value * (i == 0 || i == kPieces ? 1 : i % 2 == 1 ? 4 : 2);
  }
  return sum * h / kPieces / 3;
}

TEST_P(OnEverySchedule, HeunIntegratesALineThroughTwoPredictions) {
  const Setting at = setting(GetParam(), 8, "quadratic");
  double x = 0.9;
  for (std::size_t i = 0; i + 1 < at.times.size(); ++i) {
    const double t = at.times[i], s = at.times[i + 1], clean = denoise(x, t);
    if (s == 0) {
      x = clean;
      break;
    }
    const double h = (at.schedule->log_snr(s) - at.schedule->log_snr(t)) / 2;
    const double kept = at.schedule->sigma(s) / at.schedule->sigma(t) * x;
    const double alpha = at.schedule->alpha(s);
    const double euler = kept + alpha * weighted(clean, clean, h);
    x = kept + alpha * weighted(clean, denoise(euler, s), h);
  }
  EXPECT_NEAR(execute(find_solver("heun")(at.inputs()), 0.9, no_noise), x, 1e-9);
}

TEST(HeunEdm, IsMetByHeunInShortSteps) {
  const Setting at = setting("vp-linear", 4000, "logsnr");
  EXPECT_NEAR(execute(find_solver("heun")(at.inputs()), 0.9, no_noise),
              execute(find_solver("heun-edm")(at.inputs()), 0.9, no_noise), 1e-6);
}

/// A network errs; what a table multiplies its errors by must not grow with the length of a step.
TEST(Solvers, MultiplyErrorsByLittleOrRefuse) {
  int written = 0, refused = 0;
  for (const std::string& solver : solver_names()) {
    const double most = solver == "heun-edm" ? 30 : 6;
    for (const std::string grid : {"uniform", "quadratic", "logsnr", "karras"}) {
      for (const std::string& schedule : schedule_names()) {
        for (const int steps : {5, 8, 11, 20, 50}) {
          const Setting at = setting(schedule, steps, grid);
          try {
            for (const Evaluation& e : find_solver(solver)(at.inputs())) {
              if (solver == "euler-maruyama" && e.next_time == 0) continue;
              double sum = 0;
              for (const double factor : e.prediction) sum += std::abs(factor);
              ASSERT_LE(sum, most)
                  << solver << " " << grid << " " << schedule << " " << steps << " at " << e.time;
            }
            ++written;
          } catch (const InvalidArgument&) {
            ++refused;
            ASSERT_TRUE(solver == "heun-edm" || solver == "euler-maruyama") << solver;
          }
        }
      }
    }
  }
  EXPECT_GT(written, 5 * refused);
}

/// Where a run starts from noise alone, with alpha 0.
TEST(Solvers, StartAtTheEndOfTheStraightPath) {
  const Process flow{.prediction = Prediction::Flow, .schedule = linear_flow_schedule()};
  const std::vector<double> times = time_grid("uniform", flow, 4);
  ASSERT_EQ(times.front(), 1);
  for (const char* name : {"ddim", "ddpm", "dpmpp-2m", "heun"}) {
    const Evaluation first = find_solver(name)({*flow.schedule, times}).front();
    const bool is_ddpm = std::string(name) == "ddpm";
    EXPECT_NEAR(first.state, is_ddpm ? 0 : 0.75, 1e-15) << name;
    EXPECT_NEAR(first.prediction[0], 0.25, 1e-15) << name;
  }
  for (const char* name : {"heun-edm", "euler-maruyama"}) {
    EXPECT_THAT(
        [&] {
          find_solver(name)({*flow.schedule, times});
        },
        ThrowsMessage<InvalidArgument>(HasSubstr(std::string("solver ") + name)));
  }
}

TEST(Ddim, IsTheEulerStepOfTheFlowOnTheStraightPath) {
  const Process flow{.prediction = Prediction::Flow, .schedule = linear_flow_schedule()};
  const std::vector<double> times = time_grid("uniform", flow, 5);
  double x = 0.4;
  for (std::size_t i = 0; i + 1 < times.size(); ++i) {
    const double clean = denoise(x, times[i]);
    x += (times[i + 1] - times[i]) * (x - clean) / times[i];  // (x - clean) / t = noise - clean
  }
  EXPECT_NEAR(execute(find_solver("ddim")({*flow.schedule, times}), 0.4, no_noise), x, 1e-12);
}

TEST(Ddim, KeepsTheNoiseOfTheUnclampedPrediction) {
  const Setting at = setting("vp-linear", 6);
  SolverInputs inputs = at.inputs();
  inputs.keep_noise = true;
  for (const Evaluation& e : find_solver("ddim")(inputs)) {
    const double x = 1.7, raw = 2.5, clean = 1;
    const double noise = (x - at.schedule->alpha(e.time) * raw) / at.schedule->sigma(e.time);
    EXPECT_NEAR(e.state * x + e.unclamped * raw + e.prediction[0] * clean,
                at.schedule->alpha(e.next_time) * clean + at.schedule->sigma(e.next_time) * noise,
                1e-12);
  }
}

TEST(Ddim, NeedsNoUnclampedPredictionUnlessItKeepsTheNoise) {
  const Setting at = setting("vp-linear", 6);
  for (const Evaluation& e : find_solver("ddim")(at.inputs())) EXPECT_EQ(e.unclamped, 0);
}

TEST(Solvers, RefuseWhatOnlyDdimTakes) {
  const Setting at = setting("vp-linear", 20, "karras");
  for (const char* name : {"ddpm", "euler-maruyama", "dpmpp-2m", "heun", "heun-edm"}) {
    SolverInputs inputs = at.inputs();
    inputs.keep_noise = true;
    EXPECT_THAT([&] { find_solver(name)(inputs); },
                ThrowsMessage<InvalidArgument>(HasSubstr("keep_noise: must be false with solver")));
  }
}

TEST(HeunEdm, RefusesStepsThatMultiplyErrors) {
  const Setting at = setting("cosine", 11);
  EXPECT_THAT(
      [&] { find_solver("heun-edm")(at.inputs()); },
      ThrowsMessage<InvalidArgument>(HasSubstr("use grid karras, more steps, or solver heun")));
}

TEST(EulerMaruyama, RefusesStepsThatGrow) {
  const Setting at = setting("cosine", 50);
  EXPECT_THAT([&] { find_solver("euler-maruyama")(at.inputs()); },
              ThrowsMessage<InvalidArgument>(HasSubstr("use more steps")));
}

TEST(Solvers, MayEndBeforeTheCleanImage) {
  const auto schedule = ddpm_linear_schedule();
  const std::vector<double> times{1, 0.5, 0.001};
  for (const std::string name : {"ddim", "ddpm", "dpmpp-2m", "heun"}) {
    const auto table = find_solver(name)({*schedule, times});
    EXPECT_EQ(table.back().next_time, 0.001);
    EXPECT_EQ(table.size(), name == "heun" ? 4u : 2u);
  }
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

class Heun : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Forms, Heun, testing::Values("heun", "heun-edm"), [](const auto& tested) {
  return std::string(tested.param == "heun" ? "heun" : "edm");
});

TEST_P(Heun, EvaluatesTwiceButInTheLastStep) {
  const Setting at = setting("cosine", 3, "karras");
  const auto table = find_solver(GetParam())({*at.schedule, std::vector<double>{0.7, 0.5, 0.3, 0}});
  ASSERT_EQ(table.size(), 5u);
  const int steps[] = {0, 0, 1, 1, 2}, stages[] = {0, 1, 0, 1, 0};
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(table[i].step, steps[i]);
    EXPECT_EQ(table[i].stage, stages[i]);
  }
  EXPECT_EQ(table[1].time, table[0].next_time);
  EXPECT_EQ(table[1].next_time, table[2].time);
}

/// Empty where the solver refuses its steps.
std::vector<Evaluation> table_or_none(const std::string& solver, const Setting& at) {
  try {
    return find_solver(solver)(at.inputs());
  } catch (const InvalidArgument&) {
    return {};
  }
}

class EverySolver : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Solvers, EverySolver, testing::ValuesIn(solver_names()),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST_P(EverySolver, WritesFiniteTablesFromOneToTenThousandSteps) {
  for (const std::string& schedule : schedule_names()) {
    for (const int steps : {1, 2, 10000}) {
      const Setting at = setting(schedule, steps, steps == 10000 ? "uniform" : "logsnr");
      const auto table = table_or_none(GetParam(), at);
      for (const Evaluation& e : table) {
        const double sum = e.state + e.base + e.noise + e.prediction[0] + e.prediction[1] +
                           e.prediction[2];
        ASSERT_TRUE(std::isfinite(sum)) << schedule << ", " << steps << " steps, time " << e.time;
      }
      EXPECT_TRUE(!table.empty() || steps == 2 || GetParam() == "euler-maruyama");
    }
  }
}

TEST_P(EverySolver, EndsAtTimeZeroWithoutNoise) {
  const Setting at = setting("vp-linear", 20);
  const auto table = find_solver(GetParam())(at.inputs());
  EXPECT_EQ(table.back().next_time, 0);
  EXPECT_EQ(table.back().noise, 0);
}

TEST_P(EverySolver, NumbersStepsAndFollowsTheGrid) {
  const Setting at = setting("vp-linear", 20, "quadratic");
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
  const Setting at = setting("scaled-linear", 20, "karras");
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
  expect_refused({0.9, 1e-9}, 0, "times[1]: must be in [");
  expect_refused({0.9, NAN, 0}, 0, "times[1]: must be smaller than times[0] = 0.9, but is nan");
  expect_refused({NAN, 0.5, 0}, 0, "times[0]: must be in [");
  expect_refused({1, 0.5, 0}, 0, "], but is 1; with noise schedule cosine networks are evaluated");
  expect_refused({0.5, 1e-9, 0}, 0, "], but is 1e-09");
  expect_refused({0.5, 0, 0}, 0, "times[1]: must be in [");
}

TEST(Solver, RefusesEtaOutOfRange) {
  expect_refused({0.5, 0}, 1.5, "eta: must be in [0, 1], but is 1.5");
  expect_refused({0.5, 0}, NAN, "eta: must be in [0, 1], but is nan");
}

TEST(Solver, RefusesEtaWhereTheSolverHasNone) {
  const Setting at = setting("cosine", 4);
  for (const char* name : {"ddpm", "euler-maruyama", "dpmpp-2m", "heun", "heun-edm"}) {
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
          R"(solver: must be one of ddim, ddpm, euler-maruyama, dpmpp-2m, heun, heun-edm, but is "plms")")));
}

}  // namespace
}  // namespace adadiff
