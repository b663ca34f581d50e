// L_simple, L_u and L_UAL in the variants that LossOptions names; docs/training.md says which
// source reads them in which way.
#include "training/losses.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

namespace adadiff::detail {
namespace {

constexpr double kLeastExcess = 1e-4;  // in units of the prediction
// u is clamped to [kLogitMargin, 1 - kLogitMargin] before the logarithm of u / (1 - u) is taken.
constexpr double kLogitMargin = kLeastExcess * 1e-2;

/// The means over everything except the rows: [R, C, H, W] -> [R].
at::Tensor row_means(const at::Tensor& values) { return values.flatten(1).mean(1); }

/// tanh of the distance to the reference, without gradient: a map [R, C, H, W] or, for a UEM with
/// one number per row, its mean [R].
at::Tensor uncertainty_target(const BlockOutput& exit, const at::Tensor& reference) {
  const at::NoGradGuard no_gradient;
  const at::Tensor distance = (exit.prediction - reference).abs_().tanh_();
  return exit.uncertainty.dim() == 1 ? row_means(distance) : distance;
}

/// The mean square of the excess over full depth in each row, [R], without gradient. A root mean
/// square below kLeastExcess counts as kLeastExcess.
at::Tensor square_excess(const BlockOutput& exit, const at::Tensor& full_depth) {
  const at::NoGradGuard no_gradient;
  return row_means((exit.prediction - full_depth).square_())
      .clamp_min_(kLeastExcess * kLeastExcess);
}

/// The logarithm of the excess u / (1 - u) that the UEM expects in each row, [R].
at::Tensor expected_log_excess(const BlockOutput& exit) {
  return at::logit(exit.uncertainty.dim() == 1 ? exit.uncertainty : row_means(exit.uncertainty),
                   kLogitMargin);
}

/// (logit u - log(root mean square of the excess))^2, mean over rows. It makes u / (1 - u) learn
/// the excess with a small relative error rather than a small absolute one.
at::Tensor log_excess_loss(const BlockOutput& exit, const at::Tensor& full_depth) {
  return at::mse_loss(expected_log_excess(exit), square_excess(exit, full_depth).log_().mul_(0.5));
}

/// The negative logarithm of the likelihood of the excess under normal numbers with mean 0 and
/// standard deviation s = u / (1 - u), per value, without its constant, mean over rows:
/// r^2 / (2 s^2) + log s, where r^2 is the mean square of the row.
at::Tensor likelihood_loss(const BlockOutput& exit, const at::Tensor& full_depth) {
  const at::Tensor log_deviation = expected_log_excess(exit);
  return (square_excess(exit, full_depth) * (log_deviation * -2).exp() * 0.5 + log_deviation)
      .mean();
}

/// Whether the target is one number per row, which has no value where the excess is 0.
bool is_per_row(UncertaintyTarget target) {
  return target == UncertaintyTarget::LogExcess || target == UncertaintyTarget::Likelihood;
}

/// A sum of scalars that starts at 0, and how many there were.
struct Reduced {
  at::Tensor sum;
  double count = 0;
  void add(const at::Tensor& term) {
    sum = sum.defined() ? sum + term : term;
    ++count;
  }
  at::Tensor result(ExitReduction reduction, const at::Tensor& like) const {
    if (!sum.defined()) return at::zeros({}, like.options());
    return reduction == ExitReduction::Mean ? sum / count : sum;
  }
};

at::Tensor uncertainty_loss(const std::vector<BlockOutput>& outputs, const at::Tensor& truth,
                            const LossOptions& options) {
  const at::Tensor& full_depth = outputs.back().prediction;
  const at::Tensor& reference = options.target == UncertaintyTarget::Truth ? truth : full_depth;
  Reduced loss;
  for (const BlockOutput& exit : outputs) {
    if (!exit.prediction.defined() || !exit.uncertainty.defined()) continue;
    if (!is_per_row(options.target)) {
      loss.add(at::mse_loss(exit.uncertainty, uncertainty_target(exit, reference)));
    } else if (&exit != &outputs.back()) {  // the excess of the last exit is 0 and has no logarithm
      loss.add(options.target == UncertaintyTarget::LogExcess ? log_excess_loss(exit, full_depth)
                                                              : likelihood_loss(exit, full_depth));
    }
  }
  return loss.result(options.reduction, truth);
}

/// The certainty as the layer losses see it, with or without gradient; undefined where the exit has
/// no UEM.
at::Tensor certainty(const BlockOutput& exit, WeightGradient gradient) {
  if (!exit.uncertainty.defined()) return {};
  return 1 - (gradient == WeightGradient::Stopped ? exit.uncertainty.detach() : exit.uncertainty);
}

/// The mean over batch and values of weight * square. The weight is a map, one number per row, or
/// undefined, which counts as 1.
at::Tensor weighted_square(const BlockOutput& exit, const at::Tensor& weight,
                           const at::Tensor& truth) {
  if (!weight.defined()) return at::mse_loss(exit.prediction, truth);
  const at::Tensor square = (exit.prediction - truth).square();
  return weight.dim() == 1 ? (row_means(square) * weight).mean() : (square * weight).mean();
}

/// What an exit that learns from full depth should predict: a mixture of the truth and the
/// prediction of full depth.
at::Tensor distilled_truth(const std::vector<BlockOutput>& outputs, const at::Tensor& truth,
                           const LossOptions& options) {
  return options.distillation == 0
             ? truth
             : at::lerp(truth, outputs.back().prediction.detach(), options.distillation);
}

/// The outputs before the last one that have a prediction.
std::vector<const BlockOutput*> early_exits(const std::vector<BlockOutput>& outputs) {
  std::vector<const BlockOutput*> exits;
  for (const BlockOutput& output : outputs) {
    if (&output != &outputs.back() && output.prediction.defined()) exits.push_back(&output);
  }
  return exits;
}

/// The losses of the exits before the last one, each with its own weight.
at::Tensor exit_losses(const std::vector<BlockOutput>& outputs, const at::Tensor& truth,
                       const LossOptions& options, double exit_draw) {
  const std::vector<const BlockOutput*> exits = early_exits(outputs);
  const auto drawn = static_cast<std::size_t>(exit_draw * static_cast<double>(exits.size()));
  const at::Tensor distilled = distilled_truth(outputs, truth, options);
  const bool is_weighted = options.weights == LayerWeights::Certainty;
  Reduced loss;
  for (std::size_t i = 0; i < exits.size(); ++i) {
    const at::Tensor weight = is_weighted ? certainty(*exits[i], options.weight_gradient)
                                          : at::Tensor();
    const bool is_distilled = options.distilled_exits == DistilledExits::All || i == drawn;
    loss.add(weighted_square(*exits[i], weight, is_distilled ? distilled : truth));
  }
  return loss.result(options.reduction, truth);
}

/// The losses of every exit, the last one included, weighted by its batch-mean certainty over the
/// sum of all, as in mos_layer_wise of Tangshengku/AdaDiff.
at::Tensor normalised_losses(const std::vector<BlockOutput>& outputs, const at::Tensor& truth,
                             const LossOptions& options) {
  Reduced loss, weights;
  for (const BlockOutput& exit : outputs) {
    if (!exit.prediction.defined()) continue;
    const at::Tensor map = certainty(exit, options.weight_gradient);
    const at::Tensor weight = map.defined() ? map.mean() : at::ones({}, truth.options());
    weights.add(weight);
    loss.add(weight * at::mse_loss(exit.prediction, truth));
  }
  return loss.sum / weights.sum;
}

}  // namespace

LossTerms training_loss(const std::vector<BlockOutput>& outputs, const at::Tensor& truth,
                        const LossOptions& options, double exit_draw) {
  LossTerms terms;
  terms.simple = at::mse_loss(outputs.back().prediction, truth);
  terms.uncertainty = uncertainty_loss(outputs, truth, options);
  terms.layers = options.weights == LayerWeights::Normalised
                     ? normalised_losses(outputs, truth, options)
                     : exit_losses(outputs, truth, options, exit_draw);
  terms.total = terms.simple + options.lambda * terms.uncertainty + options.beta * terms.layers;
  return terms;
}

}  // namespace adadiff::detail
