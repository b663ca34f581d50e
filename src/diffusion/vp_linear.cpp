// The continuous variance-preserving schedule with beta linear in time (Song et al. 2021,
// "Score-Based Generative Modeling through SDEs", eq. 32): beta(t) = b0 + t (b1 - b0) of dx =
// -beta/2 x dt + sqrt(beta) dw, hence ln alpha = -(b0 t + t^2 (b1 - b0) / 2) / 2.
#include <cmath>

#include "core/check.h"
#include "diffusion/schedules.h"

namespace adadiff {
namespace {

class VpLinear final : public NoiseSchedule {
 public:
  VpLinear(double beta_min, double beta_max)
      : beta_min_(beta_min), rise_(beta_max - beta_min), beta_max_(beta_max) {}

  double log_alpha(double time) const override {
    return -0.5 * time * (beta_min_ + 0.5 * time * rise_);
  }
  double log_alpha_slope(double time) const override { return -0.5 * (beta_min_ + time * rise_); }
  std::string name() const override { return "vp-linear"; }
  ScheduleParameters parameters() const override {
    return {{"beta_min", beta_min_}, {"beta_max", beta_max_}};
  }

 private:
  double beta_min_, rise_, beta_max_;
};

}  // namespace

SchedulePtr vp_linear_schedule(double beta_min, double beta_max) {
  detail::require_range("vp-linear.beta_min", beta_min, 1e-4, 100.0);
  detail::require_range("vp-linear.beta_max", beta_max, beta_min, 1000.0);
  return detail::require_noise_at_end("vp-linear", std::make_shared<VpLinear>(beta_min, beta_max));
}

}  // namespace adadiff
