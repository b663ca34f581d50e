// What noise schedules derive from ln alpha and sigma, and what a process can be evaluated at.
#include <algorithm>
#include <cmath>

#include <adadiff/noise_schedule.h>

namespace adadiff {
namespace {

// Outside this range of log-SNR neither alpha nor sigma carries information in float32 that a
// network could use.
constexpr double kLargestLogSnr = 14;
constexpr double kSmallestLogSnr = -12;

/// Bisects to neighbouring doubles for the smallest time in [0, 1] whose log-SNR is at most
/// `log_snr`; 1 where there is none.
double first_time_at(const NoiseSchedule& schedule, double log_snr) {
  double low = 0, high = 1;
  while (true) {
    const double middle = low + (high - low) / 2;
    if (!(middle > low && middle < high)) return high;
    (schedule.log_snr(middle) > log_snr ? low : high) = middle;
  }
}

}  // namespace

double NoiseSchedule::alpha(double time) const { return std::exp(log_alpha(time)); }

double NoiseSchedule::sigma(double time) const {
  return std::sqrt(std::abs(std::expm1(2 * log_alpha(time))));
}

double NoiseSchedule::log_snr(double time) const {
  return 2 * (log_alpha(time) - std::log(sigma(time)));
}

double NoiseSchedule::time_at(double log_snr) const {
  return std::clamp(first_time_at(*this, log_snr), min_time(), max_time());
}

double NoiseSchedule::diffusion(double time) const { return -2 * log_alpha_slope(time); }

double NoiseSchedule::min_time() const { return first_time_at(*this, kLargestLogSnr); }

double NoiseSchedule::max_time() const { return first_time_at(*this, kSmallestLogSnr); }

double NoiseSchedule::start_deviation(double) const { return 1; }

int NoiseSchedule::discrete_steps() const { return 0; }

double Process::min_time() const { return schedule->min_time(); }

double Process::max_time() const {
  const double highest = schedule->max_time();
  if (prediction != Prediction::Noise) return highest;
  return std::min(highest, first_time_at(*schedule, kSmallestLogSnr));
}

}  // namespace adadiff
