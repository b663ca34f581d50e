// Noise schedules: x_t = alpha(t) * clean + sigma(t) * noise, over time 1 = noise, 0 = clean. All
// in double, no tensors.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace adadiff {

/// What a network predicts. velocity = alpha * noise - sigma * clean (Salimans & Ho 2022).
enum class Prediction { Noise, Clean, Velocity };

/// Named numbers that make one schedule of a family.
using ScheduleParameters = std::vector<std::pair<std::string, double>>;

/// A variance-preserving schedule: alpha^2 + sigma^2 = 1, alpha(0) = 1. Immutable; safe from any
/// thread.
class NoiseSchedule {
 public:
  virtual ~NoiseSchedule() = default;
  /// ln alpha at a time in [0, 1]; falls from 0.
  virtual double log_alpha(double time) const = 0;
  /// d ln alpha / d time, finite on [min_time(), max_time()].
  virtual double log_alpha_slope(double time) const = 0;
  /// Name as it stands in a model file, e.g. "vp-linear".
  virtual std::string name() const = 0;
  /// Parameters as they stand there, e.g. beta_min and beta_max: find_schedule(name(),
  /// parameters()) gives an equal schedule.
  virtual ScheduleParameters parameters() const = 0;

  double alpha(double time) const;
  double sigma(double time) const;    ///< sqrt(1 - alpha^2), without cancellation near time 0
  double log_snr(double time) const;  ///< 2 ln(alpha / sigma), falls with time
  double time_at(double log_snr)
      const;  ///< inverse of log_snr to about 1e-14, clipped to [min_time(), max_time()]
  double diffusion(
      double time) const;   ///< g^2(t) = -2 d ln alpha/dt, of dx = (d ln alpha/dt) x dt + g dw
  double min_time() const;  ///< smallest time a network is evaluated at: log-SNR at most 14
  double max_time() const;  ///< largest: log-SNR at least -12, at most time 1
};

using SchedulePtr = std::shared_ptr<const NoiseSchedule>;
/// Continuous VP, beta linear in time (Song et al. 2021, eq. 32).
SchedulePtr vp_linear_schedule(double beta_min = 0.1, double beta_max = 20);
/// DDPM's discrete linear betas (Ho et al. 2020), ln alpha interpolated between time (i + 1) /
/// steps.
SchedulePtr ddpm_linear_schedule(int steps = 1000, double first = 1e-4, double last = 0.02);
/// Stable Diffusion's: square roots of the betas linear (Rombach et al. 2022), interpolated as
/// above.
SchedulePtr scaled_linear_schedule(int steps = 1000, double first = 0.00085, double last = 0.012);
/// alpha = cos(pi t / 2).
SchedulePtr cosine_schedule();
/// alpha^2 = f(t) / f(0), f = cos^2((t + s) / (1 + s) * pi / 2) (Nichol & Dhariwal 2021, eq. 17).
SchedulePtr nichol_dhariwal_schedule(double offset = 0.008);

/// The schedule of that name; parameters left out take the defaults above. Throws InvalidArgument
/// for an unknown name or parameter, for one given twice or out of its range, and for a schedule
/// whose log-SNR at time 1 is not below 0.
SchedulePtr find_schedule(std::string_view name, const ScheduleParameters& parameters = {});
/// The names find_schedule knows.
std::vector<std::string> schedule_names();

/// Times of a run with `steps` steps: steps + 1 strictly falling entries from min(start,
/// max_time()) to exactly 0, all but the last in [min_time(), max_time()]. Grids: "uniform",
/// "quadratic" (uniform in sqrt(time)), "logsnr" (uniform in log-SNR down to min_time()). Where a
/// grid's last time before 0 would lie below min_time(), the grid is spread down to min_time()
/// instead. Throws InvalidArgument for an unknown name, steps outside [1, 10000], or start outside
/// (min_time(), 1].
std::vector<double> time_grid(std::string_view name, const NoiseSchedule& schedule, int steps,
                              double start = 1);
/// The names time_grid knows, the default first.
std::vector<std::string> time_grid_names();

}  // namespace adadiff
