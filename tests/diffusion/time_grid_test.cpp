// Time grids: spacing, ends, ranges, refusals.
#include <cmath>

#include <gmock/gmock.h>

#include <adadiff/error.h>
#include <adadiff/noise_schedule.h>

namespace adadiff {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

class EveryGrid : public testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  std::string grid = std::get<0>(GetParam());
  SchedulePtr schedule = find_schedule(std::get<1>(GetParam()));
};
INSTANTIATE_TEST_SUITE_P(Grids, EveryGrid,
                         testing::Combine(testing::Values("uniform", "quadratic", "logsnr",
                                                          "karras"),
                                          testing::ValuesIn(schedule_names())),
                         [](const auto& tested) {
                           std::string name = std::get<0>(tested.param) + "_" +
                                              std::get<1>(tested.param);
                           std::erase(name, '-');
                           return name;
                         });

TEST_P(EveryGrid, FallsStrictlyToZeroWithinTheRange) {
  for (const int steps : {1, 2, 3, 50, 1000, 10000}) {
    const auto times = time_grid(grid, {.schedule = schedule}, steps);
    ASSERT_EQ(times.size(), static_cast<std::size_t>(steps) + 1);
    EXPECT_EQ(times.front(), Process{.schedule = schedule}.max_time());
    EXPECT_EQ(times.back(), 0);
    for (std::size_t i = 0; i + 1 < times.size(); ++i)
      ASSERT_LT(times[i + 1], times[i]) << steps << " steps, entry " << i;
    EXPECT_GE(times[static_cast<std::size_t>(steps) - 1], schedule->min_time()) << steps;
  }
}

TEST_P(EveryGrid, BeginsAtTheGivenStart) {
  const auto times = time_grid(grid, {.schedule = schedule}, 7, 0.4);
  EXPECT_EQ(times.front(), 0.4);
  EXPECT_EQ(times.size(), 8u);
}

TEST_P(EveryGrid, MayBeginJustAboveTheSmallestTime) {
  EXPECT_NO_THROW(time_grid(grid, {.schedule = schedule}, 10, schedule->min_time() * 1.001));
}

TEST(UniformGrid, HasEqualMovesDownToZero) {
  EXPECT_THAT(time_grid("uniform", {.schedule = vp_linear_schedule()}, 4),
              ElementsAre(1, 0.75, 0.5, 0.25, 0));
}

TEST(UniformGrid, MeetsTheTimesOfDiscreteBetasAt1000Steps) {
  const auto times = time_grid("uniform", {.schedule = ddpm_linear_schedule()}, 1000);
  for (int i = 0; i <= 1000; ++i)
    ASSERT_EQ(times[static_cast<std::size_t>(i)], (1000 - i) / 1000.0);
}

TEST(UniformGrid, IsSpreadDownToTheSmallestTimeWhereZeroIsTooClose) {
  const auto schedule = cosine_schedule();
  const auto times = time_grid("uniform", {.schedule = schedule}, 10000);
  EXPECT_DOUBLE_EQ(times[9999], schedule->min_time());
  EXPECT_NEAR(times[0] - times[1], times[5000] - times[5001], 1e-15);
}

TEST(QuadraticGrid, IsUniformInTheRootOfTime) {
  const auto times = time_grid("quadratic", {.schedule = vp_linear_schedule()}, 4);
  const double expected[] = {1, 0.5625, 0.25, 0.0625, 0};
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(times[i], expected[i], 1e-15);
}

TEST(LogsnrGrid, IsUniformInLogSnrDownToTheSmallestTime) {
  const auto schedule = cosine_schedule();
  const auto times = time_grid("logsnr", {.schedule = schedule}, 11);
  for (std::size_t i = 0; i + 2 < times.size(); ++i)
    EXPECT_NEAR(schedule->log_snr(times[i + 1]) - schedule->log_snr(times[i]), 2.6, 1e-9);
  EXPECT_NEAR(schedule->log_snr(times[10]), 14, 1e-9);
}

TEST(LogsnrGrid, StaysWithinTheStepsThatANetworkWasTrainedOn) {
  for (const char* grid : {"logsnr", "karras", "quadratic"}) {
    const auto times = time_grid(grid, {.schedule = ddpm_linear_schedule()}, 20);
    for (std::size_t i = 0; i < 20; ++i) EXPECT_GE(times[i], 0.001) << grid << " " << i;
  }
}

TEST(KarrasGrid, IsEquation5OfItsPaperInSigmaByAlpha) {
  const auto schedule = ddpm_linear_schedule();
  const auto times = time_grid("karras", {.schedule = schedule}, 10);
  const auto level = [&](double time) { return schedule->sigma(time) / schedule->alpha(time); };
  const double from = std::pow(level(1), 1.0 / 7), to = std::pow(level(0.001), 1.0 / 7);
  for (std::size_t i = 0; i < 10; ++i) {
    const double expected = std::pow(from + (to - from) * static_cast<double>(i) / 9, 7);
    EXPECT_NEAR(level(times[i]) / expected, 1, 1e-9) << i;
  }
}

/// Step numbers as diffusers' schedulers give them (DDIMScheduler.set_timesteps of 1000 training
/// steps): leading with steps_offset 0 and 1, linspace, trailing.
std::vector<double> step_numbers(const char* grid, int steps) {
  std::vector<double> numbers;
  for (const double time : time_grid(grid, {.schedule = ddpm_linear_schedule()}, steps))
    numbers.push_back(std::round((time * 1000 - 1) * 1e6) / 1e6);
  numbers.pop_back();
  return numbers;
}

TEST(DiscreteGrids, AreThoseOfOtherTools) {
  EXPECT_THAT(step_numbers("leading", 4), ElementsAre(750, 500, 250, 0));
  EXPECT_THAT(step_numbers("leading", 3), ElementsAre(666, 333, 0));
  EXPECT_THAT(step_numbers("leading-1", 4), ElementsAre(751, 501, 251, 1));
  EXPECT_THAT(step_numbers("linspace", 4), ElementsAre(999, 666, 333, 0));
  EXPECT_THAT(step_numbers("trailing", 3), ElementsAre(999, 666, 332));
  EXPECT_THAT(step_numbers("trailing", 4), ElementsAre(999, 749, 499, 249));
}

TEST(DiscreteGrids, RefuseWhatTheyCannotSpace) {
  EXPECT_THAT([] { time_grid("leading", {.schedule = cosine_schedule()}, 4); },
              ThrowsMessage<InvalidArgument>(HasSubstr(
                  "grid leading: must go with a schedule of discrete steps, but \"cosine\" is")));
  EXPECT_THAT(
      [] { time_grid("linspace", {.schedule = ddpm_linear_schedule(100, 0.001, 0.2)}, 101); },
      ThrowsMessage<InvalidArgument>(
          HasSubstr("must have at most the schedule's 100 steps, but has 101")));
  EXPECT_THAT(
      [] { time_grid("trailing", {.schedule = ddpm_linear_schedule()}, 4, 0.5); },
      ThrowsMessage<InvalidArgument>(HasSubstr("must begin at the schedule's first noise level")));
}

TEST(GridShift, IsThatOfFlowModels) {
  Process flow{.prediction = Prediction::Flow, .schedule = linear_flow_schedule()};
  flow.grid_shift = 3;
  const auto times = time_grid("uniform", flow, 4);
  // 3 t / (1 + 2 t) of 1, 0.75, 0.5, 0.25
  const double expected[] = {1, 0.9, 0.75, 0.5, 0};
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(times[i], expected[i], 1e-15) << i;
}

TEST(GridShift, KeepsTheEndsOfTheGrid) {
  for (const double shift : {0.2, 5.0}) {
    Process process{.schedule = cosine_schedule()};
    process.grid_shift = shift;
    for (const char* grid : {"uniform", "quadratic"}) {
      const auto times = time_grid(grid, process, 2000);
      EXPECT_EQ(times.front(), process.max_time());
      EXPECT_GE(times[1999], process.min_time());
    }
  }
}

void expect_refused(std::string_view name, int steps, double start, const std::string& message) {
  EXPECT_THAT([&] { time_grid(name, {.schedule = cosine_schedule()}, steps, start); },
              ThrowsMessage<InvalidArgument>(HasSubstr(message)));
}

TEST(TimeGrid, RefusesAnUnknownName) {
  expect_refused(
      "exponential", 10, 1,
      R"(grid: must be one of uniform, quadratic, logsnr, karras, leading, leading-1, linspace, trailing, but is "exponential")");
}

TEST(TimeGrid, RefusesStepsOutOfRange) {
  expect_refused("uniform", 0, 1, "steps: must be in [1, 10000], but is 0");
  expect_refused("uniform", 10001, 1, "steps: must be in [1, 10000], but is 10001");
}

TEST(TimeGrid, RefusesAStartOutOfRange) {
  expect_refused("uniform", 10, 0, "1], but is 0; the lower end is the smallest time");
  expect_refused("uniform", 10, 1.1, "start time: must be in (");
  expect_refused("uniform", 10, NAN, "but is nan");
  expect_refused("logsnr", 10, cosine_schedule()->min_time(), "start time: must be in (");
}

// mu = 0.5 at 256 tokens and 1.15 at 4096; numbers of diffusers' calculate_shift.
TEST(TokenShift, GrowsWithTheNumberOfTokens) {
  const TokenShift rule{.token_size = 2};
  EXPECT_DOUBLE_EQ(rule.shift(32, 32), std::exp(0.5));
  EXPECT_DOUBLE_EQ(rule.shift(128, 128), std::exp(1.15));
  EXPECT_NEAR(rule.shift(64, 48), std::exp(0.5866666666666667), 1e-12);
  EXPECT_NEAR(rule.shift(256, 256), std::exp(3.23), 1e-12) << "beyond max_tokens";
}

TEST(TokenShift, LeavesOutRowsAndColumnsWithoutAToken) {
  const TokenShift rule{.token_size = 2};
  EXPECT_EQ(rule.shift(65, 49), rule.shift(64, 48));
}

TEST(TokenShift, IsItsNumberItselfWhereItIsLinear) {
  const TokenShift rule{.base_shift = 1.5, .max_shift = 4, .type = ShiftType::Linear};
  EXPECT_DOUBLE_EQ(rule.shift(16, 16), 1.5);
  EXPECT_DOUBLE_EQ(rule.shift(64, 64), 4);
}

TEST(TokenShift, RefusesWhatGivesNoShift) {
  const auto complaint = [](const TokenShift& rule, std::int64_t side) {
    return [rule, side] { rule.shift(side, side); };
  };
  EXPECT_THAT(complaint({.max_tokens = 256}, 8),
              ThrowsMessage<InvalidArgument>(
                  "token_shift.max_tokens: must be above base_tokens = 256, but is 256"));
  EXPECT_THAT(complaint({.base_tokens = 0}, 8),
              ThrowsMessage<InvalidArgument>(HasSubstr("token_shift.base_tokens: must be in [1,")));
  EXPECT_THAT(complaint({.token_size = 0}, 8),
              ThrowsMessage<InvalidArgument>(HasSubstr("token_shift.token_size: must be in [1,")));
  EXPECT_THAT(complaint({.base_shift = -1, .type = ShiftType::Linear}, 16),
              ThrowsMessage<InvalidArgument>("token_shift: must give a shift in [0.01, 100], but "
                                             "gives -1 for images of 256 tokens"));
}

TEST(Process, FitsItsGridToTheSizeOfImages) {
  Process flow{.prediction = Prediction::Flow, .schedule = linear_flow_schedule()};
  flow.fit_grid_shift(128, 128);
  EXPECT_EQ(flow.grid_shift, 1) << "without a rule nothing changes";
  flow.token_shift = TokenShift{.token_size = 2};
  flow.fit_grid_shift(128, 128);
  const double shift = std::exp(1.15);
  const std::vector<double> times = time_grid("uniform", flow, 2);
  EXPECT_NEAR(times[1], shift * 0.5 / (1 + (shift - 1) * 0.5), 1e-12);
}

}  // namespace
}  // namespace adadiff
