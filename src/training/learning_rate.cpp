// The warm-up and the decay of the learning rate.
#include "training/learning_rate.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace adadiff::detail {
namespace {

constexpr double kLastShare = 0.01;  // share of the peak at the last step
// The warm-up takes at most one in this many steps. Otherwise a short training would end before its
// warm-up.
constexpr std::int64_t kMostOfWarmUp = 10;

}  // namespace

double learning_rate_share(std::int64_t step, const TrainingOptions& options) {
  const std::int64_t warmup = std::min(options.warmup, options.steps / kMostOfWarmUp);
  const double rise = warmup > 0 ? std::min(1.0, static_cast<double>(step + 1) /
                                                     static_cast<double>(warmup))
                                 : 1;
  if (options.decay == Decay::Constant) return rise;
  const double done = std::min(1.0, static_cast<double>(step) / static_cast<double>(options.steps));
  const double share = kLastShare +
                       (1 - kLastShare) * 0.5 * (1 + std::cos(std::numbers::pi * done));
  return rise * share;
}

}  // namespace adadiff::detail
