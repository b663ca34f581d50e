// The offset cosine schedule (Nichol & Dhariwal 2021, "Improved DDPM", eq. 17): alpha^2 = f(t) /
// f(0), f = cos^2(a(t)), a(t) = (t + s) / (1 + s) * pi / 2. Their cap on beta near time 1 is not
// applied: max_time() keeps away from it.
#include <cmath>
#include <numbers>

#include "core/check.h"
#include "diffusion/schedules.h"

namespace adadiff {
namespace {

class NicholDhariwal final : public NoiseSchedule {
 public:
  explicit NicholDhariwal(double offset)
      : offset_(offset), rate_(std::numbers::pi / 2 / (1 + offset)), start_(rate_ * offset) {}

  /// cos(a + d) / cos(a) = 1 - 2 sin(d/2) sin(a + d/2) / cos(a) with d = a(t) - a(0): no
  /// cancellation near time 0.
  double log_alpha(double time) const override {
    const double moved = rate_ * time;
    return std::log1p(-2 * std::sin(moved / 2) * std::sin(start_ + moved / 2) / std::cos(start_));
  }
  double log_alpha_slope(double time) const override {
    return -rate_ * std::tan(start_ + rate_ * time);
  }
  std::string name() const override { return "nichol-dhariwal"; }
  ScheduleParameters parameters() const override { return {{"offset", offset_}}; }

 private:
  double offset_, rate_, start_;
};

}  // namespace

SchedulePtr nichol_dhariwal_schedule(double offset) {
  detail::require_range("nichol-dhariwal.offset", offset, 0.0, 0.1);
  return std::make_shared<NicholDhariwal>(offset);
}

}  // namespace adadiff
