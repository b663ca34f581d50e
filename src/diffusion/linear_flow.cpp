// Straight paths from clean image to noise: alpha = 1 - t, sigma = t (Liu et al. 2023, "Flow
// Straight and Fast"; Lipman et al. 2023, "Flow Matching for Generative Modeling", eq. 20).
#include <cmath>

#include "diffusion/schedules.h"

namespace adadiff {
namespace {

class LinearFlow final : public NoiseSchedule {
 public:
  double log_alpha(double time) const override { return std::log1p(-time); }
  double log_alpha_slope(double time) const override { return -1 / (1 - time); }
  double sigma(double time) const override { return time; }
  /// -sigma^2 d log-SNR/dt with log-SNR = 2 ln((1 - t) / t).
  double diffusion(double time) const override { return 2 * time / (1 - time); }
  double max_time() const override { return 1; }
  double start_deviation(double time) const override { return time; }
  std::string name() const override { return "linear-flow"; }
  ScheduleParameters parameters() const override { return {}; }
};

}  // namespace

SchedulePtr linear_flow_schedule() { return std::make_shared<LinearFlow>(); }

}  // namespace adadiff
