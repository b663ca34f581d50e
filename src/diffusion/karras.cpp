// The variance-exploding process of Karras et al. 2022 ("Elucidating the Design Space of
// Diffusion-Based Generative Models"): alpha = 1. Their grid (eq. 5) is uniform in sigma^(1/rho),
// so with sigma = sigma_max t^rho it is uniform in t.
#include <cmath>

#include "core/check.h"
#include "diffusion/schedules.h"

namespace adadiff {
namespace {

class Karras final : public NoiseSchedule {
 public:
  Karras(double sigma_min, double sigma_max, double rho)
      : sigma_min_(sigma_min), sigma_max_(sigma_max), rho_(rho) {}

  double log_alpha(double) const override { return 0; }
  double log_alpha_slope(double) const override { return 0; }
  double sigma(double time) const override { return sigma_max_ * std::pow(time, rho_); }
  /// d sigma^2 / dt.
  double diffusion(double time) const override {
    return 2 * rho_ * sigma(time) * sigma_max_ * std::pow(time, rho_ - 1);
  }
  double min_time() const override { return std::pow(sigma_min_ / sigma_max_, 1 / rho_); }
  double max_time() const override { return 1; }
  double start_deviation(double time) const override { return sigma(time); }
  std::string name() const override { return "karras"; }
  ScheduleParameters parameters() const override {
    return {{"sigma_min", sigma_min_}, {"sigma_max", sigma_max_}, {"rho", rho_}};
  }

 private:
  double sigma_min_, sigma_max_, rho_;
};

}  // namespace

SchedulePtr karras_schedule(double sigma_min, double sigma_max, double rho) {
  detail::require_range("karras.sigma_min", sigma_min, 1e-6, 1e3);
  detail::require_range("karras.sigma_max", sigma_max, 2 * sigma_min, 1e5);
  detail::require_range("karras.rho", rho, 1.0, 100.0);
  return detail::require_noise_at_end("karras",
                                      std::make_shared<Karras>(sigma_min, sigma_max, rho));
}

}  // namespace adadiff
