// What every noise schedule derives from its ln alpha: alpha, sigma, log-SNR with its inverse and
// finite range, diffusion.
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
  const double twice = 2 * log_alpha(time);
  return twice - std::log(-std::expm1(twice));
}

double NoiseSchedule::time_at(double log_snr) const {
  return first_time_at(*this, std::fmin(std::fmax(log_snr, kSmallestLogSnr), kLargestLogSnr));
}

double NoiseSchedule::diffusion(double time) const { return -2 * log_alpha_slope(time); }

double NoiseSchedule::min_time() const { return first_time_at(*this, kLargestLogSnr); }

double NoiseSchedule::max_time() const { return first_time_at(*this, kSmallestLogSnr); }

}  // namespace adadiff
