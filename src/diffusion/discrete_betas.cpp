// Schedules made of discrete betas: DDPM's linear ones (Ho et al. 2020, section 4) and Stable
// Diffusion's, whose square roots are linear (Rombach et al. 2022). ln alpha is known at time (i +
// 1) / steps as half the sum of ln(1 - beta_j), j <= i, is 0 at time 0 and linear in between, so
// that a step between two known times removes exactly its own betas. A network was never trained
// before the first known time, so none is evaluated there.
#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "diffusion/schedules.h"

namespace adadiff {
namespace {

/// A family: name, and how far along the betas are at `share` in [0, 1] of the way from first to
/// last.
struct Family {
  const char* name;
  double (*beta)(double first, double last, double share);
};

double linear_beta(double first, double last, double share) {
  return first + (last - first) * share;
}

double scaled_linear_beta(double first, double last, double share) {
  const double root = std::sqrt(first) + (std::sqrt(last) - std::sqrt(first)) * share;
  return root * root;
}

constexpr Family kDdpmLinear{"ddpm-linear", linear_beta};
constexpr Family kScaledLinear{"scaled-linear", scaled_linear_beta};

class DiscreteBetas final : public NoiseSchedule {
 public:
  DiscreteBetas(const Family& family, int steps, double first, double last)
      : name_(family.name),
        first_(first),
        last_(last),
        log_alpha_(static_cast<std::size_t>(steps) + 1) {
    for (int i = 0; i < steps; ++i) {
      const double share = steps > 1 ? static_cast<double>(i) / (steps - 1) : 0;
      const auto at = static_cast<std::size_t>(i);
      log_alpha_[at + 1] = log_alpha_[at] + 0.5 * std::log1p(-family.beta(first, last, share));
    }
  }

  double log_alpha(double time) const override {
    const std::size_t i = segment(time);
    const double share = time * steps() - static_cast<double>(i);
    return log_alpha_[i] + share * (log_alpha_[i + 1] - log_alpha_[i]);
  }

  /// Constant between known times; at a known time that of the segment below, which a step towards
  /// 0 crosses next.
  double log_alpha_slope(double time) const override {
    const std::size_t i = segment(time);
    return (log_alpha_[i + 1] - log_alpha_[i]) * steps();
  }

  double min_time() const override { return std::fmax(NoiseSchedule::min_time(), 1 / steps()); }
  int discrete_steps() const override { return static_cast<int>(log_alpha_.size()) - 1; }
  std::string name() const override { return name_; }
  ScheduleParameters parameters() const override {
    return {{"steps", steps()}, {"first", first_}, {"last", last_}};
  }

 private:
  double steps() const { return static_cast<double>(log_alpha_.size() - 1); }

  /// i of the segment (i / steps, (i + 1) / steps] that holds `time`; rounding of a known time does
  /// not move it into the next one.
  std::size_t segment(double time) const {
    const double position = std::ceil(time * steps() - 1e-9) - 1;
    return static_cast<std::size_t>(std::clamp(position, 0.0, steps() - 1));
  }

  std::string name_;
  double first_, last_;
  std::vector<double> log_alpha_;  ///< [steps + 1], entry i at time i / steps
};

SchedulePtr make(const Family& family, int steps, double first, double last) {
  const std::string where = family.name;
  detail::require_range(where + ".steps", steps, 1, 100000);
  detail::require_range(where + ".first", first, 1e-8, 0.999);
  detail::require_range(where + ".last", last, first, 0.999);
  return detail::require_noise_at_end(where,
                                      std::make_shared<DiscreteBetas>(family, steps, first, last));
}

}  // namespace

SchedulePtr ddpm_linear_schedule(int steps, double first, double last) {
  return make(kDdpmLinear, steps, first, last);
}

SchedulePtr scaled_linear_schedule(int steps, double first, double last) {
  return make(kScaledLinear, steps, first, last);
}

}  // namespace adadiff
