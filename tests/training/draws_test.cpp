// Every draw is a function of seed, step and position, with the distribution that its option names.
#include "training/draws.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>

namespace adadiff::detail {
namespace {

TrainingOptions options_with(TimeDistribution times, std::int64_t batch = 64) {
  TrainingOptions options;
  options.times = times;
  options.batch = batch;
  options.seed = 5;
  return options;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

TEST(DataOrder, ShowsEveryImageOnceAPass) {
  DataOrder order(3, 10);
  std::vector<std::int64_t> first, second;
  for (std::int64_t i = 0; i < 10; ++i) first.push_back(order.index(0, 10, i));
  for (std::int64_t i = 0; i < 10; ++i) second.push_back(order.index(1, 10, i));
  EXPECT_NE(first, second);
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  EXPECT_THAT(first, testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_EQ(first, second);
}

TEST(DataOrder, DoesNotDependOnWhatWasAskedBefore) {
  DataOrder straight(3, 7), jumping(3, 7);
  for (std::int64_t step = 0; step < 5; ++step) straight.index(step, 4, 0);
  EXPECT_EQ(straight.index(5, 4, 1), jumping.index(5, 4, 1));
  EXPECT_EQ(straight.index(0, 4, 1), DataOrder(3, 7).index(0, 4, 1));
}

TEST(DrawTimes, SpreadsEvenlyWhenStratified) {
  auto times = draw_times(options_with(TimeDistribution::Stratified), Process{}, 9);
  std::sort(times.begin(), times.end());
  for (std::size_t i = 2; i + 1 < times.size(); ++i)
    EXPECT_NEAR(times[i] - times[i - 1], 1.0 / 64, 1e-6) << i;
}

TEST(DrawTimes, StayWithinTheSchedule) {
  const auto schedule = cosine_schedule();
  for (const auto kind :
       {TimeDistribution::Uniform, TimeDistribution::Stratified, TimeDistribution::LogitNormal}) {
    for (const double time : draw_times(options_with(kind, 4096), {.schedule = schedule}, 1)) {
      EXPECT_GE(time, schedule->min_time());
      EXPECT_LE(time, schedule->max_time());
    }
  }
}

TEST(DrawTimes, FollowTheirDistribution) {
  const auto share_in_middle = [](TimeDistribution kind) {
    const auto times = draw_times(options_with(kind, 20000), Process{}, 1);
    const auto middle = std::count_if(times.begin(), times.end(),
                                      [](double t) { return t > 0.25 && t < 0.75; });
    return static_cast<double>(middle) / 20000;
  };
  EXPECT_NEAR(share_in_middle(TimeDistribution::Uniform), 0.5, 0.02);
  EXPECT_NEAR(share_in_middle(TimeDistribution::LogitNormal), 0.728, 0.02);  // |N(0, 1)| < ln 3
  EXPECT_NEAR(mean(draw_times(options_with(TimeDistribution::LogitNormal, 20000), Process{}, 2)),
              0.5, 0.01);
}

TEST(DrawTimes, DifferFromStepToStepAndAreRepeatable) {
  const auto options = options_with(TimeDistribution::Uniform);
  EXPECT_EQ(draw_times(options, Process{}, 4), draw_times(options, Process{}, 4));
  EXPECT_NE(draw_times(options, Process{}, 4), draw_times(options, Process{}, 5));
}

TEST(DropsLabel, HappensAsOftenAsAsked) {
  TrainingOptions options;
  options.label_drop = 0.1;
  int dropped = 0;
  for (std::int64_t i = 0; i < 20000; ++i) dropped += drops_label(options, 3, i) ? 1 : 0;
  EXPECT_NEAR(dropped / 20000.0, 0.1, 0.01);
  options.label_drop = 0;
  EXPECT_FALSE(drops_label(options, 3, 1));
  options.label_drop = 1;
  EXPECT_TRUE(drops_label(options, 3, 1));
}

TEST(DrawExit, PicksEachOfEightExitsAsOftenAndFromSeedAndStepAlone) {
  TrainingOptions options, other;
  other.seed = 1;
  std::vector<int> picked(8);
  int differing = 0;
  for (std::int64_t step = 0; step < 16000; ++step) {
    const double draw = draw_exit(options, step);
    ASSERT_GT(draw, 0);
    ASSERT_LT(draw, 1);
    ASSERT_EQ(draw, draw_exit(options, step));
    ++picked[static_cast<std::size_t>(draw * 8)];
    differing += draw != draw_exit(other, step) ? 1 : 0;
  }
  for (const int count : picked) EXPECT_NEAR(count, 2000, 170);  // four standard deviations
  EXPECT_GT(differing, 15900);
}

TEST(DrawExit, HasAStreamOfItsOwn) {
  const TrainingOptions options = options_with(TimeDistribution::Uniform, 1);
  for (std::int64_t step = 0; step < 20; ++step) {
    EXPECT_GT(std::abs(draw_exit(options, step) - draw_times(options, Process{}, step)[0]), 1e-6)
        << step;
  }
}

TEST(DrawNoise, IsOfEachSampleItsOwn) {
  std::vector<float> a(8), b(8), again(8);
  draw_noise({}, 3, 0, a);
  draw_noise({}, 3, 1, b);
  draw_noise({}, 3, 0, again);
  EXPECT_NE(a, b);
  EXPECT_EQ(a, again);
}

TEST(Times, OfAntitheticHalvesAddUpToOne) {
  for (const auto kind :
       {TimeDistribution::Uniform, TimeDistribution::Stratified, TimeDistribution::LogitNormal}) {
    TrainingOptions options = options_with(kind, 9);
    options.antithetic = true;
    const auto times = draw_times(options, Process{}, 3);
    for (std::size_t i = 5; i < 9; ++i)
      EXPECT_NEAR(times[i], 1 - times[i - 5], 1e-3) << i;  // but for the schedule's ends
    EXPECT_GT(std::abs(times[0] - times[1]), 1e-6);
  }
}

TEST(Times, OfAStratifiedHalfCoverTheWholeRange) {
  TrainingOptions options = options_with(TimeDistribution::Stratified, 20);
  options.antithetic = true;
  auto times = draw_times(options, Process{}, 3);
  times.resize(10);  // the first half, one in each tenth of [0, 1) but for the offset
  std::sort(times.begin(), times.end());
  for (std::size_t i = 1; i + 1 < 10; ++i) EXPECT_NEAR(times[i + 1] - times[i], 0.1, 1e-6) << i;
}

}  // namespace
}  // namespace adadiff::detail
