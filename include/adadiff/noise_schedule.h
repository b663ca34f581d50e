// Diffusion processes: noise schedules, what a network predicts on them, and time grids. Everything
// is computed in double, without tensors. Time runs from 1 = noise to 0 = clean.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace adadiff {

/// The named numbers that select one schedule of a family.
using ScheduleParameters = std::vector<std::pair<std::string, double>>;

/// A noise schedule: x_t = alpha(t) * clean + sigma(t) * noise, with alpha(0) = 1 and sigma(0) = 0,
/// and alpha / sigma falling with time. The defaults below are those of a variance-preserving
/// schedule, alpha^2 + sigma^2 = 1. A schedule is immutable and safe to use from any thread.
class NoiseSchedule {
 public:
  virtual ~NoiseSchedule() = default;
  /// ln alpha at a time in [0, 1]. It is 0 at time 0, never rises with time, and is -infinity where
  /// alpha is 0.
  virtual double log_alpha(double time) const = 0;
  /// d ln alpha / d time, finite on [min_time(), max_time()] except where alpha is 0.
  virtual double log_alpha_slope(double time) const = 0;
  /// The name of the schedule in a model file, e.g. "vp-linear".
  virtual std::string name() const = 0;
  /// The parameters of the schedule in a model file, e.g. beta_min and beta_max.
  /// find_schedule(name(), parameters()) gives an equal schedule.
  virtual ScheduleParameters parameters() const = 0;

  /// Default: sqrt(1 - alpha^2), without cancellation near time 0.
  virtual double sigma(double time) const;
  /// g^2(t) of the forward equation dx = (d ln alpha/dt) x dt + g dw, which is
  /// -sigma^2 d log-SNR/dt. Default: -2 d ln alpha/dt.
  virtual double diffusion(double time) const;
  /// The smallest time that a network is evaluated at. Default: where the log-SNR is 14.
  virtual double min_time() const;
  /// The largest time that a network is evaluated at. Default: where the log-SNR is -12, at most 1.
  virtual double max_time() const;
  /// The standard deviation of the state that a run from pure noise has at `time`. Default: 1.
  virtual double start_deviation(double time) const;
  /// The number of discrete steps that make up the schedule, at times i / steps; 0: the schedule is
  /// continuous (default).
  virtual int discrete_steps() const;

  double alpha(double time) const;
  double log_snr(double time) const;  ///< 2 ln(alpha / sigma), falls with time
  /// The time with the given log-SNR, to about 1e-14, clipped to [min_time(), max_time()].
  double time_at(double log_snr) const;
};

using SchedulePtr = std::shared_ptr<const NoiseSchedule>;
/// A continuous variance-preserving schedule with beta linear in time (Song et al. 2021, eq. 32).
SchedulePtr vp_linear_schedule(double beta_min = 0.1, double beta_max = 20);
/// DDPM's discrete linear betas (Ho et al. 2020); ln alpha is interpolated between the times
/// (i + 1) / steps. No network is evaluated before the schedule's first step, time 1 / steps.
SchedulePtr ddpm_linear_schedule(int steps = 1000, double first = 1e-4, double last = 0.02);
/// Stable Diffusion's schedule, in which the square roots of the betas are linear (Rombach et al.
/// 2022). It is interpolated, and its smallest time bounded, like the schedule above.
SchedulePtr scaled_linear_schedule(int steps = 1000, double first = 0.00085, double last = 0.012);
/// alpha = cos(pi t / 2).
SchedulePtr cosine_schedule();
/// alpha^2 = f(t) / f(0), f = cos^2((t + s) / (1 + s) * pi / 2) (Nichol & Dhariwal 2021, eq. 17).
SchedulePtr nichol_dhariwal_schedule(double offset = 0.008);
/// alpha = 1 - t, sigma = t (rectified flow, Liu et al. 2023; the conditional optimal transport
/// path, Lipman et al. 2023). A run starts at time 1, where alpha is 0.
SchedulePtr linear_flow_schedule();
/// alpha = 1, sigma = sigma_max * t^rho (Karras et al. 2022). Times that are uniform down to
/// min_time(), where sigma is sigma_min, are that paper's grid (eq. 5).
SchedulePtr karras_schedule(double sigma_min = 0.002, double sigma_max = 80, double rho = 7);

/// The schedule of that name; parameters that are left out take the defaults above. Throws
/// InvalidArgument for an unknown name, for a parameter that is unknown, given twice or out of its
/// range, and for a schedule whose log-SNR at time 1 is not below 0.
SchedulePtr find_schedule(std::string_view name, const ScheduleParameters& parameters = {});
/// The names that find_schedule knows.
std::vector<std::string> schedule_names();

/// What a network predicts.
enum class Prediction : std::uint8_t {
  Noise,
  Clean,
  Velocity,       ///< alpha * noise - sigma * clean (Salimans & Ho 2022)
  Flow,           ///< noise - clean (Stable Diffusion 3, Flux)
  FlowToData,     ///< clean - noise (Lipman et al. 2023, SiT)
  Preconditioned,  ///< F in clean = c_skip x + c_out F (Karras et al. 2022, table 1, on x / alpha
                   ///< with sigma / alpha and Process::data_std); the network's input is c_in x
  Consistency      ///< the same, but c_skip is 1 and c_out 0 at the schedule's least noise, so that
                   ///< the clean image is x there (Song et al. 2023, eq. 5 and appendix C)
};

/// What a network embeds as its time.
enum class TimeEmbedding : std::uint8_t {
  Time,     ///< time_scale * time + time_shift
  LogSigma  ///< time_scale * ln(sigma / alpha) + time_shift; Karras et al. 2022 have 1/4 and 0
};

/// How a TokenShift makes a shift s of its number mu.
enum class ShiftType : std::uint8_t {
  Exponential,  ///< s = e^mu
  Linear        ///< s = mu
};

/// A shift of time grids that depends on the number of tokens in an image (Esser et al. 2024,
/// section 5.3.2; Flux). mu lies on the line through base_shift at base_tokens and max_shift at
/// max_tokens, also beyond these two.
struct TokenShift {
  double base_shift = 0.5, max_shift = 1.15;
  std::int64_t base_tokens = 256, max_tokens = 4096;  ///< at least 1, and the second one larger
  std::int64_t token_size = 1;  ///< side of a token in pixels of the state, at least 1
  ShiftType type = ShiftType::Exponential;
  /// s for images of this size, whose last rows and columns may be left without a token. Throws
  /// InvalidArgument unless it is in [0.01, 100].
  double shift(std::int64_t height, std::int64_t width) const;
};

/// Everything that a network and the code that samples from it have to agree on.
struct Process {
  Prediction prediction = Prediction::Noise;
  SchedulePtr schedule = cosine_schedule();
  TimeEmbedding embeds = TimeEmbedding::Time;
  double time_scale = 1000;  ///< not 0; negative where the network's time runs from noise to clean
  double time_shift = 0;
  /// The shift s, in [0.01, 100], of the grids "uniform" and "quadratic": times t become
  /// s t / (1 + (s - 1) t) (Esser et al. 2024, eq. 23). A shift above 1 puts more steps near noise;
  /// 1 changes nothing.
  double grid_shift = 1;
  /// Where grid_shift comes from, if it depends on the size of images. Opening a model file fits
  /// grid_shift to the images of its network; other code calls fit_grid_shift.
  std::optional<TokenShift> token_shift = {};
  double data_std = 0.5;                ///< standard deviation of the clean data around 0, above 0
  float image_min = -1, image_max = 1;  ///< clean values that are shown as black and white
  /// The smallest and the largest time that the network can be evaluated at.
  double min_time() const;
  double max_time() const;  ///< for a network that predicts noise, at most where the log-SNR is -12
  /// Sets grid_shift to what token_shift gives for images of this size; does nothing without
  /// token_shift. Throws InvalidArgument.
  void fit_grid_shift(std::int64_t height, std::int64_t width);
};

/// Where a run ends.
enum class LastStep : std::uint8_t {
  Clean,   ///< at time 0, with the clean image that the last evaluation predicts
  MinTime  ///< at the smallest time that the network can be evaluated at, in a state that still has
           ///< a little noise
};

/// The times of a run with `steps` steps: steps + 1 strictly falling entries from min(start,
/// process.max_time()) to exactly 0, all but the last at least process.min_time(). With
/// LastStep::MinTime the last entry is process.min_time() instead of 0. The grids are:
///   "uniform"    uniform in time
///   "quadratic"  uniform in sqrt(time)
///   "logsnr"     uniform in log-SNR down to min_time()
///   "karras"     uniform in (sigma / alpha)^(1/7) down to min_time() (Karras et al. 2022, eq. 5)
/// "uniform" and "quadratic" are spread down to min_time() where their last time before 0 would
/// otherwise lie below it. Schedules of N discrete steps also have these grids, which bear the
/// names that other tools give them (Lin et al. 2024, table 2) and can only start at 1:
///   "leading"    every floor(N / steps)-th step from the first one on
///   "leading-1"  "leading", moved up by one step
///   "linspace"   from the first to the last step, rounded
///   "trailing"   "uniform", rounded to steps
/// Throws InvalidArgument for an unknown name, steps outside [1, 10000], start outside (min_time(),
/// 1], and a grid that does not fit the schedule.
std::vector<double> time_grid(std::string_view name, const Process& process, int steps,
                              double start = 1, LastStep last = LastStep::Clean);
/// The names that time_grid knows, the default first.
std::vector<std::string> time_grid_names();

}  // namespace adadiff
