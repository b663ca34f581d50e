// The plain cosine schedule: alpha = cos(pi t / 2), sigma = sin(pi t / 2) (used with velocity by
// Salimans & Ho 2022).
#include <cmath>
#include <numbers>

#include "diffusion/schedules.h"

namespace adadiff {
namespace {

constexpr double kQuarterTurn = std::numbers::pi / 2;

class Cosine final : public NoiseSchedule {
 public:
  double log_alpha(double time) const override {
    const double sine = std::sin(kQuarterTurn * time);
    // ln cos from the sine where that is small: ln alpha keeps its relative precision down to time
    // 0.
    return time < 0.5 ? 0.5 * std::log1p(-sine * sine) : std::log(std::cos(kQuarterTurn * time));
  }
  double log_alpha_slope(double time) const override {
    return -kQuarterTurn * std::tan(kQuarterTurn * time);
  }
  std::string name() const override { return "cosine"; }
  ScheduleParameters parameters() const override { return {}; }
};

}  // namespace

SchedulePtr cosine_schedule() { return std::make_shared<Cosine>(); }

}  // namespace adadiff
