#include "training/descent.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/check.h"
#include "training/learning_rate.h"

namespace adadiff::detail {
namespace {

/// Whether all tensors that are defined are finite.
bool is_finite(const std::vector<at::Tensor>& tensors) {
  return std::all_of(tensors.begin(), tensors.end(), [](const at::Tensor& t) {
    return !t.defined() || at::isfinite(t.detach()).all().item<bool>();
  });
}

}  // namespace

Descent::Descent(const Parameters& parameters, const TrainingOptions& options, DescentErrors errors)
    : parameters_(parameters),
      options_(options),
      errors_(std::move(errors)),
      update_(parameters_, options_),
      average_(parameters_, options_.ema) {}

double Descent::rate_share(std::int64_t number) const {
  return learning_rate_share(number - 1, options_);
}

void Descent::require_finite(double value, const std::string& what, std::int64_t number) const {
  if (std::isfinite(value)) return;
  raise<Error>({errors_.where, "keep a finite " + what,
                "step " + show(number) + " has " + show(value), errors_.advice});
}

double Descent::finish_step(std::int64_t number) {
  const double norm = clip_gradients(parameters_, options_.clip);
  require_finite(norm, "gradient", number);
  update_.step(number, rate_share(number));
  average_.update(number);
  return norm;
}

void Descent::require_finite_state(std::int64_t number) const {
  const bool has_finite_moments = is_finite(update_.first_moments()) &&
                                  is_finite(update_.second_moments());
  if (is_finite(parameters_.tensors) && is_finite(averages()) && has_finite_moments) return;
  raise<Error>({errors_.where, "keep finite weights and moments",
                "those after step " + show(number) + " are not", errors_.advice});
}

void Descent::keep_averages() {
  const at::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < averages().size(); ++i) {
    at::Tensor tensor = parameters_.tensors[i];
    tensor.copy_(averages()[i]);
    tensor.requires_grad_(false);
    tensor.mutable_grad() = at::Tensor();
  }
}

double running_mean(double mean, double value, std::int64_t count, double memory) {
  const double weight = std::max(1 - memory, 1 / static_cast<double>(count));
  return mean + weight * (value - mean);
}

}  // namespace adadiff::detail
