// The shift of time grids for images of some number of tokens.
#include <cmath>

#include <adadiff/noise_schedule.h>

#include "core/check.h"

namespace adadiff {
namespace {

constexpr std::int64_t kMostTokens = 1'000'000'000;

void check(const TokenShift& rule) {
  detail::require_range("token_shift.base_tokens", rule.base_tokens, std::int64_t{1}, kMostTokens);
  detail::require_range("token_shift.max_tokens", rule.max_tokens, std::int64_t{1}, kMostTokens);
  detail::require_range("token_shift.token_size", rule.token_size, std::int64_t{1}, kMostTokens);
  if (rule.max_tokens > rule.base_tokens) return;
  detail::raise({"token_shift.max_tokens",
                 "be above base_tokens = " + detail::show(rule.base_tokens),
                 "is " + detail::show(rule.max_tokens)});
}

}  // namespace

double TokenShift::shift(std::int64_t height, std::int64_t width) const {
  check(*this);
  const std::int64_t tokens = (height / token_size) * (width / token_size);
  const double share = static_cast<double>(tokens - base_tokens) /
                       static_cast<double>(max_tokens - base_tokens);
  const double mu = base_shift + (max_shift - base_shift) * share;
  const double shift = type == ShiftType::Exponential ? std::exp(mu) : mu;
  if (shift >= 0.01 && shift <= 100) return shift;
  detail::raise(
      {"token_shift", "give a shift in [0.01, 100]",
       "gives " + detail::show(shift) + " for images of " + detail::show(tokens) + " tokens"});
}

void Process::fit_grid_shift(std::int64_t height, std::int64_t width) {
  if (token_shift) grid_shift = token_shift->shift(height, width);
}

}  // namespace adadiff
