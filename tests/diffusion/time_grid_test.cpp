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
                         testing::Combine(testing::ValuesIn(time_grid_names()),
                                          testing::ValuesIn(schedule_names())),
                         [](const auto& info) {
                           std::string name = std::get<0>(info.param) + "_" +
                                              std::get<1>(info.param);
                           std::erase(name, '-');
                           return name;
                         });

TEST_P(EveryGrid, FallsStrictlyToZeroWithinTheRange) {
  for (const int steps : {1, 2, 3, 50, 1000, 10000}) {
    const auto times = time_grid(grid, *schedule, steps);
    ASSERT_EQ(times.size(), static_cast<std::size_t>(steps) + 1);
    EXPECT_EQ(times.front(), schedule->max_time());
    EXPECT_EQ(times.back(), 0);
    for (int i = 0; i < steps; ++i)
      ASSERT_LT(times[i + 1], times[i]) << steps << " steps, entry " << i;
    EXPECT_GE(times[static_cast<std::size_t>(steps) - 1], schedule->min_time()) << steps;
  }
}

TEST_P(EveryGrid, BeginsAtTheGivenStart) {
  const auto times = time_grid(grid, *schedule, 7, 0.4);
  EXPECT_EQ(times.front(), 0.4);
  EXPECT_EQ(times.size(), 8u);
}

TEST_P(EveryGrid, MayBeginJustAboveTheSmallestTime) {
  EXPECT_NO_THROW(time_grid(grid, *schedule, 10, schedule->min_time() * 1.001));
}

TEST(UniformGrid, HasEqualMovesDownToZero) {
  EXPECT_THAT(time_grid("uniform", *vp_linear_schedule(), 4), ElementsAre(1, 0.75, 0.5, 0.25, 0));
}

TEST(UniformGrid, MeetsTheTimesOfDiscreteBetasAt1000Steps) {
  const auto times = time_grid("uniform", *ddpm_linear_schedule(), 1000);
  for (int i = 0; i <= 1000; ++i)
    ASSERT_EQ(times[static_cast<std::size_t>(i)], (1000 - i) / 1000.0);
}

TEST(UniformGrid, IsSpreadDownToTheSmallestTimeWhereZeroIsTooClose) {
  const auto schedule = cosine_schedule();
  const auto times = time_grid("uniform", *schedule, 10000);
  EXPECT_DOUBLE_EQ(times[9999], schedule->min_time());
  EXPECT_NEAR(times[0] - times[1], times[5000] - times[5001], 1e-15);
}

TEST(QuadraticGrid, IsUniformInTheRootOfTime) {
  const auto times = time_grid("quadratic", *vp_linear_schedule(), 4);
  const double expected[] = {1, 0.5625, 0.25, 0.0625, 0};
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(times[i], expected[i], 1e-15);
}

TEST(LogsnrGrid, IsUniformInLogSnrDownToTheSmallestTime) {
  const auto schedule = cosine_schedule();
  const auto times = time_grid("logsnr", *schedule, 11);
  for (std::size_t i = 0; i + 2 < times.size(); ++i)
    EXPECT_NEAR(schedule->log_snr(times[i + 1]) - schedule->log_snr(times[i]), 2.6, 1e-9);
  EXPECT_NEAR(schedule->log_snr(times[10]), 14, 1e-9);
}

void expect_refused(std::string_view name, int steps, double start, const std::string& message) {
  EXPECT_THAT([&] { time_grid(name, *cosine_schedule(), steps, start); },
              ThrowsMessage<InvalidArgument>(HasSubstr(message)));
}

TEST(TimeGrid, RefusesAnUnknownName) {
  expect_refused("karras", 10, 1,
                 R"(grid: must be one of uniform, quadratic, logsnr, but is "karras")");
}

TEST(TimeGrid, RefusesStepsOutOfRange) {
  expect_refused("uniform", 0, 1, "steps: must be in [1, 10000], but is 0");
  expect_refused("uniform", 10001, 1, "steps: must be in [1, 10000], but is 10001");
}

TEST(TimeGrid, RefusesAStartOutOfRange) {
  expect_refused("uniform", 10, 0,
                 "1], but is 0; the lower end is where the schedule's log-SNR is 14");
  expect_refused("uniform", 10, 1.1, "start time: must be in (");
  expect_refused("uniform", 10, NAN, "but is nan");
  expect_refused("logsnr", 10, cosine_schedule()->min_time(), "start time: must be in (");
}

}  // namespace
}  // namespace adadiff
