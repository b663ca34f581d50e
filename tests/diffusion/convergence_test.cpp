// Orders of convergence on a Gaussian target: mean and standard deviation that a solver reaches at
// a fixed time, carried exactly, against those of the true marginal. What is measured is the solver
// alone: the network is the best possible one.
#include <cmath>

#include <gtest/gtest.h>

#include "diffusion/gaussian_moments.h"

namespace adadiff {
namespace {

constexpr test::Gaussian kData{0.3, 0.25};
/// Where errors are measured: near the clean image, and where every schedule can be evaluated.
double end_of(const NoiseSchedule& schedule) { return std::max(0.05, schedule.min_time() * 1.01); }

struct Case {
  std::string solver;
  double eta;
  int order;
};

void PrintTo(const Case& value, std::ostream* out) { *out << value.solver << " eta " << value.eta; }

/// `steps` steps from `start` to the end, uniform in time or log-SNR, and a last one to 0.
std::vector<double> times_to_end(const NoiseSchedule& schedule, const std::string& spacing,
                                 int steps) {
  const double start = std::min(0.9, schedule.max_time()), end = end_of(schedule);
  const double first = schedule.log_snr(start), last = schedule.log_snr(end);
  std::vector<double> times;
  for (int i = 0; i < steps; ++i) {
    const double share = static_cast<double>(i) / steps;
    times.push_back(spacing == "logsnr" && i > 0 ? schedule.time_at(first + (last - first) * share)
                                                 : start + (end - start) * share);
  }
  times.push_back(end);
  times.push_back(0);
  return times;
}

struct Errors {
  double mean, deviation;
};

Errors errors_at_end(const Case& solver, const NoiseSchedule& schedule,
                     const std::vector<double>& times) {
  std::vector<Evaluation> table = find_solver(solver.solver)({schedule, times, solver.eta});
  table.pop_back();  // the step from the end to 0
  const test::Gaussian reached = test::carry(schedule, kData, table),
                       exact = test::marginal(schedule, kData, end_of(schedule));
  return {std::abs(reached.mean - exact.mean),
          std::abs(std::sqrt(reached.variance) - std::sqrt(exact.variance))};
}

class Convergence : public testing::TestWithParam<std::tuple<Case, std::string, std::string>> {};

INSTANTIATE_TEST_SUITE_P(
    Solvers, Convergence,
    testing::Combine(testing::Values(Case{"ddim", 0, 1}, Case{"ddim", 1, 1}, Case{"ddim", 0.5, 1},
                                     Case{"ddpm", 0, 1}, Case{"euler-maruyama", 0, 1},
                                     Case{"dpmpp-2m", 0, 2}, Case{"heun", 0, 2},
                                     Case{"heun-edm", 0, 2}),
                     testing::ValuesIn(schedule_names()), testing::Values("uniform", "logsnr")),
    [](const auto& tested) {
      const Case& solver = std::get<0>(tested.param);
      std::string name = solver.solver +
                         (solver.eta > 0
                              ? "_eta" + std::to_string(static_cast<int>(solver.eta * 10))
                              : "") +
                         "_" + std::get<1>(tested.param) + "_" + std::get<2>(tested.param);
      std::erase(name, '-');
      return name;
    });

TEST_P(Convergence, HasItsOrderInTheStandardDeviation) {
  const auto& [solver, schedule_name, spacing] = GetParam();
  const SchedulePtr schedule = find_schedule(schedule_name);
  const Errors coarse = errors_at_end(solver, *schedule, times_to_end(*schedule, spacing, 500));
  const Errors fine = errors_at_end(solver, *schedule, times_to_end(*schedule, spacing, 1000));
  const double order = std::log2(coarse.deviation / fine.deviation);
  // With sigma a power of time, and steps uniform in it, two of its errors cancel.
  const bool is_better = solver.solver == "euler-maruyama" && schedule_name == "karras" &&
                         spacing == "uniform";
  EXPECT_NEAR(order, is_better ? 2 : solver.order, 0.15)
      << coarse.deviation << " then " << fine.deviation;
  EXPECT_LT(fine.deviation, solver.order == 1 ? 0.02 : 2e-4);
}

/// On the mean path the best clean prediction is the data's mean all the time, which every solver
/// but the explicit SDE step carries exactly.
TEST_P(Convergence, KeepsTheMeanOrHasItsOrderInIt) {
  const auto& [solver, schedule_name, spacing] = GetParam();
  const SchedulePtr schedule = find_schedule(schedule_name);
  const Errors coarse = errors_at_end(solver, *schedule, times_to_end(*schedule, spacing, 500));
  const Errors fine = errors_at_end(solver, *schedule, times_to_end(*schedule, spacing, 1000));
  const bool is_exact = fine.mean < 1e-12;  // Euler-Maruyama on a straight path, too
  if (solver.solver == "euler-maruyama" && !is_exact) {
    EXPECT_NEAR(std::log2(coarse.mean / fine.mean), 1, 0.15)
        << coarse.mean << " then " << fine.mean;
  } else {
    EXPECT_LT(fine.mean, 1e-12);
  }
}

TEST(FullRun, EndsNearTheDataWithEverySolver) {
  const SchedulePtr schedule = vp_linear_schedule();
  for (const std::string& name : solver_names()) {
    const auto times = time_grid("uniform", {.schedule = schedule}, 1000);
    const test::Gaussian reached = test::carry(*schedule, kData,
                                               find_solver(name)({*schedule, times}));
    EXPECT_NEAR(std::sqrt(reached.variance), 0.5, 0.01) << name;
    EXPECT_NEAR(reached.mean, 0.3, 0.005) << name;
  }
}

TEST(Moments, CarriesNoiseThatWasAddedBefore) {
  const SchedulePtr schedule = cosine_schedule();
  test::Moments moments(*schedule, {0, 1},
                        0.5);  // unit variance at every time; the clean prediction is alpha x
  moments.apply({.time = 0.5, .state = 1, .noise = 2});
  EXPECT_NEAR(moments.state().variance, 5, 1e-15);
}

TEST(Moments, KnowsThatPredictionAndStateAreCorrelated) {
  const SchedulePtr schedule = cosine_schedule();
  test::Moments moments(*schedule, {0, 1}, 0.5);
  Evaluation evaluation{.time = 0.5, .state = 1};
  evaluation.prediction[0] = -1 / schedule->alpha(0.5);
  moments.apply(evaluation);
  EXPECT_NEAR(moments.state().variance, 0, 1e-15);
}

}  // namespace
}  // namespace adadiff
