// Time grids: where between noise and clean a run's steps lie. One function per grid; each fills
// all times but the final 0.
#include <cmath>

#include "core/check.h"
#include "diffusion/solvers.h"

namespace adadiff {
namespace {

/// `count` times from `top` down, the last one at least `floor`, which is the schedule's
/// min_time().
struct Span {
  const NoiseSchedule& schedule;
  double top, floor;
  int count;
};

/// `count` values from `top` down in equal moves: with 0 as the next one, or, if that would end
/// below `floor`, ending there.
std::vector<double> evenly(double top, double floor, int count) {
  std::vector<double> values(static_cast<std::size_t>(count), top);
  const bool reaches_zero = top / count >= floor;
  for (int i = 1; i < count; ++i) {
    const double left = count - 1 - i;
    values[static_cast<std::size_t>(i)] = reaches_zero ? top * (left + 1) / count
                                                       : floor + (top - floor) * left / (count - 1);
  }
  return values;
}

std::vector<double> uniform(const Span& span) { return evenly(span.top, span.floor, span.count); }

/// Uniform in sqrt(time) (Song et al. 2021, "DDIM", appendix D.2).
std::vector<double> quadratic(const Span& span) {
  std::vector<double> times = evenly(std::sqrt(span.top), std::sqrt(span.floor), span.count);
  for (double& time : times) time = std::fmax(time * time, span.floor);
  times[0] = span.top;
  return times;
}

/// Uniform in log-SNR down to the floor (Lu et al. 2022).
std::vector<double> logsnr(const Span& span) {
  const double first = span.schedule.log_snr(span.top), last = span.schedule.log_snr(span.floor);
  std::vector<double> times(static_cast<std::size_t>(span.count), span.top);
  for (int i = 1; i < span.count; ++i) {
    times[static_cast<std::size_t>(i)] = span.schedule.time_at(first + (last - first) * i /
                                                                           (span.count - 1));
  }
  return times;
}

struct Grid {
  const char* name;
  std::vector<double> (*times)(const Span& span);
};
constexpr Grid kGrids[] = {{"uniform", uniform}, {"quadratic", quadratic}, {"logsnr", logsnr}};

const Grid& find_grid(std::string_view name) {
  for (const Grid& grid : kGrids) {
    if (grid.name == name) return grid;
  }
  std::string known;
  for (const Grid& grid : kGrids) known += (known.empty() ? "" : ", ") + std::string(grid.name);
  detail::raise({"grid", "be one of " + known, "is " + detail::show(std::string(name))});
}

}  // namespace

std::vector<double> time_grid(std::string_view name, const NoiseSchedule& schedule, int steps,
                              double start) {
  const Grid& grid = find_grid(name);
  detail::require_range("steps", steps, 1, detail::kMostSteps);
  const double floor = schedule.min_time();
  if (!(start > floor && start <= 1)) {
    detail::raise({"start time", "be in (" + detail::show(floor) + ", 1]",
                   "is " + detail::show(start),
                   "the lower end is where the schedule's log-SNR is 14"});
  }
  std::vector<double> times = grid.times(
      {schedule, std::fmin(start, schedule.max_time()), floor, steps});
  times.push_back(0);
  detail::check_times(schedule, times);
  return times;
}

std::vector<std::string> time_grid_names() {
  std::vector<std::string> names;
  for (const Grid& grid : kGrids) names.emplace_back(grid.name);
  return names;
}

}  // namespace adadiff
