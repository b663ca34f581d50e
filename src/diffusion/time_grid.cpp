// Time grids: where between noise and clean a run's steps lie. One function per grid; each fills
// all times but the final 0.
#include <algorithm>
#include <cmath>
#include <utility>

#include "core/check.h"
#include "core/names.h"
#include "diffusion/solvers.h"

namespace adadiff {
namespace {

/// `count` times from `top` down, the last one at least `floor`, which is the smallest time that
/// the network can be evaluated at.
struct Span {
  const Process& process;
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

/// t -> s t / (1 + (s - 1) t) (Esser et al. 2024, eq. 23); with 1 / s it is undone.
double shifted(double time, double shift) {
  return shift == 1 ? time : shift * time / (1 + (shift - 1) * time);
}

/// Evenly in the times before the process's shift.
std::vector<double> shifted_evenly(const Span& span, double (*to)(double), double (*from)(double)) {
  const double shift = span.process.grid_shift;
  std::vector<double> times = evenly(to(shifted(span.top, 1 / shift)),
                                     to(shifted(span.floor, 1 / shift)), span.count);
  for (double& time : times) time = std::fmax(shifted(from(time), shift), span.floor);
  times[0] = span.top;
  return times;
}

std::vector<double> uniform(const Span& span) {
  const auto same = [](double time) { return time; };
  return shifted_evenly(span, same, same);
}

/// Uniform in sqrt(time) (Song et al. 2021, "DDIM", appendix D.2).
std::vector<double> quadratic(const Span& span) {
  return shifted_evenly(
      span, [](double time) { return std::sqrt(time); }, [](double root) { return root * root; });
}

/// At log-SNRs that `level` gives for shares 0 (the first time) to 1 (the floor). Where alpha is 0
/// at the first time, spacing begins at log-SNR -12.
template <class Level>
std::vector<double> by_log_snr(const Span& span, Level level) {
  const NoiseSchedule& schedule = *span.process.schedule;
  const double first = std::fmax(schedule.log_snr(span.top), -12);
  const double last = schedule.log_snr(span.floor);
  std::vector<double> times(static_cast<std::size_t>(span.count), span.top);
  for (int i = 1; i < span.count; ++i) {
    const double share = static_cast<double>(i) / (span.count - 1);
    times[static_cast<std::size_t>(i)] = schedule.time_at(level(first, last, share));
  }
  return times;
}

/// Uniform in log-SNR down to the floor (Lu et al. 2022).
std::vector<double> logsnr(const Span& span) {
  return by_log_snr(
      span, [](double first, double last, double share) { return first + (last - first) * share; });
}

/// Uniform in (sigma / alpha)^(1 / 7) down to the floor (Karras et al. 2022, eq. 5).
std::vector<double> karras(const Span& span) {
  constexpr double kTwiceRho = 14;  // sigma / alpha is e^(-log-SNR / 2)
  return by_log_snr(span, [](double first, double last, double share) {
    const double from = std::exp(-first / kTwiceRho), to = std::exp(-last / kTwiceRho);
    return -kTwiceRho * std::log(from + (to - from) * share);
  });
}

/// What grids over the steps that a network was trained on share.
std::vector<double> at_discrete_steps(const Span& span, const char* name,
                                      double (*step)(int index, int count, int steps)) {
  const int steps = span.process.schedule->discrete_steps();
  const std::string where = std::string("grid ") + name;
  if (steps == 0) {
    detail::raise({where, "go with a schedule of discrete steps",
                   "\"" + span.process.schedule->name() + "\" is continuous", "use uniform"});
  }
  if (span.count > steps) {
    detail::raise({where, "have at most the schedule's " + detail::show(steps) + " steps",
                   "has " + detail::show(span.count)});
  }
  if (span.top < span.process.max_time()) {
    detail::raise({where, "begin at the schedule's first noise level",
                   "begins at time " + detail::show(span.top), "use uniform"});
  }
  std::vector<double> times;
  for (int i = span.count - 1; i >= 0; --i) {
    const double number = std::clamp(step(i, span.count, steps), 0.0, steps - 1.0);
    times.push_back((number + 1) / steps);
  }
  return times;
}

std::vector<double> leading(const Span& span) {
  return at_discrete_steps(span, "leading", [](int index, int count, int steps) -> double {
    return index * (steps / count);
  });
}

std::vector<double> leading_1(const Span& span) {
  return at_discrete_steps(span, "leading-1", [](int index, int count, int steps) -> double {
    return index * (steps / count) + 1;
  });
}

std::vector<double> linspace(const Span& span) {
  return at_discrete_steps(span, "linspace", [](int index, int count, int steps) {
    return count == 1 ? steps - 1.0 : std::nearbyint((steps - 1.0) * index / (count - 1));
  });
}

std::vector<double> trailing(const Span& span) {
  return at_discrete_steps(span, "trailing", [](int index, int count, int steps) {
    return std::nearbyint(static_cast<double>(steps) * (index + 1) / count) - 1;
  });
}

struct Grid {
  const char* name;
  std::vector<double> (*times)(const Span& span);
};
constexpr Grid kGrids[] = {
    {"uniform", uniform}, {"quadratic", quadratic}, {"logsnr", logsnr},     {"karras", karras},
    {"leading", leading}, {"leading-1", leading_1}, {"linspace", linspace}, {"trailing", trailing}};

/// Ends a grid at the floor instead of at 0, after as many steps.
std::vector<double> to_floor(const Grid& grid, Span span, std::vector<double> times) {
  if (times.back() > span.floor * (1 + 1e-9)) {
    times.push_back(span.floor);
    return times;
  }
  // The grid reaches the floor by itself; with one time more it does so after as many steps.
  ++span.count;
  return grid.times(span);
}

}  // namespace

std::vector<double> time_grid(std::string_view name, const Process& process, int steps,
                              double start, LastStep last) {
  const Grid& grid = detail::require_named(kGrids, name, "grid");
  detail::require_range("steps", steps, 1, detail::kMostSteps);
  const double floor = process.min_time();
  if (!(start > floor && start <= 1)) {
    detail::raise({"start time", "be in (" + detail::show(floor) + ", 1]",
                   "is " + detail::show(start),
                   "the lower end is the smallest time that the network can be evaluated at"});
  }
  const Span span{process, std::fmin(start, process.max_time()), floor, steps};
  std::vector<double> times = grid.times(span);
  if (last == LastStep::Clean) {
    times.push_back(0);
  } else {
    times = to_floor(grid, span, std::move(times));
  }
  detail::check_times(*process.schedule, times);
  return times;
}

std::vector<std::string> time_grid_names() { return detail::names_in(kGrids); }

}  // namespace adadiff
