// AdamW, Muon, clipping and averaging through ATen's fused and list operators.
#include "training/optimiser.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/check.h"

namespace adadiff::detail {
namespace {

std::vector<at::Tensor> zeros_like_all(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> zeros;
  zeros.reserve(tensors.size());
  for (const at::Tensor& tensor : tensors) zeros.push_back(at::zeros_like(tensor).detach());
  return zeros;
}

/// Tells torch that a tensor's values have changed, where the operator that changed them does not.
/// Weights that passes have prepared are told apart by it.
void note_written(const at::Tensor& tensor) { tensor.unsafeGetTensorImpl()->bump_version(); }

std::vector<at::Tensor> gradients(const Parameters& parameters) {
  std::vector<at::Tensor> list;
  for (const at::Tensor& tensor : parameters.tensors) {
    if (tensor.grad().defined()) list.push_back(tensor.grad());
  }
  return list;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void require_known(const std::vector<std::string>& names, const std::vector<std::string>& known) {
  for (const std::string& name : names) {
    if (!contains(known, name)) {
      raise({"TrainingOptions.undecayed", "name parameters of the network", "names " + show(name)});
    }
  }
}

/// The optimiser that updates a parameter.
enum class Mover { AdamW, UncertaintyAdamW, Muon };

Mover mover_of(const Parameters& parameters, std::size_t i, const TrainingOptions& options) {
  if (parameters.is_uncertainty[i]) return Mover::UncertaintyAdamW;
  return options.optimiser == Optimiser::Muon && parameters.is_hidden_matrix[i] ? Mover::Muon
                                                                                : Mover::AdamW;
}

AdamW make_adamw(const Parameters& parameters, const TrainingOptions& options, Mover mover) {
  Parameters own;
  for (std::size_t i = 0; i < parameters.tensors.size(); ++i) {
    if (mover_of(parameters, i, options) != mover) continue;
    own.names.push_back(parameters.names[i]);
    own.tensors.push_back(parameters.tensors[i]);
  }
  return {own, {options.beta1, options.beta2, 1e-8, options.weight_decay, options.undecayed}};
}

Muon make_muon(const Parameters& parameters, const TrainingOptions& options) {
  std::vector<at::Tensor> matrices;
  MuonOptions muon{.in_bfloat16 = options.precision == Precision::BFloat16};
  for (std::size_t i = 0; i < parameters.tensors.size(); ++i) {
    if (mover_of(parameters, i, options) != Mover::Muon) continue;
    if (parameters.tensors[i].dim() < 2) {
      raise({"TrainableNetwork::role", "say is_hidden_matrix of matrices and kernels only",
             "says so of " + show(parameters.names[i])});
    }
    matrices.push_back(parameters.tensors[i]);
    muon.weight_decay.push_back(
        contains(options.undecayed, parameters.names[i]) ? 0 : options.weight_decay);
  }
  return {std::move(matrices), std::move(muon)};
}

}  // namespace

Parameters trainable_parameters(TrainableNetwork& network, Trained trained) {
  Parameters parameters;
  network.visit([&](const std::string& name, at::Tensor& tensor) {
    const ParameterRole role = network.role(name);
    const bool is_trained = trained == Trained::All || role.exit_source.has_value();
    tensor.requires_grad_(is_trained);
    if (!is_trained) return;
    parameters.names.push_back(name);
    parameters.tensors.push_back(tensor);
    parameters.is_hidden_matrix.push_back(role.is_hidden_matrix);
    parameters.is_uncertainty.push_back(role.is_uncertainty);
  });
  if (parameters.tensors.empty()) {
    raise({"TrainingOptions.trained", "name parameters that the network has",
           "are those of its exits, and it has none"});
  }
  return parameters;
}

AdamW::AdamW(const Parameters& parameters, AdamWOptions options)
    : parameters_(parameters.tensors),
      first_(zeros_like_all(parameters.tensors)),
      second_(zeros_like_all(parameters.tensors)),
      options_(std::move(options)) {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    (contains(options_.undecayed, parameters.names[i]) ? undecayed_ : decayed_).push_back(i);
  }
}

void AdamW::step(std::int64_t number, double learning_rate) {
  update(decayed_, number, learning_rate, options_.weight_decay);
  update(undecayed_, number, learning_rate, 0);
}

void AdamW::update(const std::vector<std::size_t>& group, std::int64_t number, double learning_rate,
                   double weight_decay) {
  const at::NoGradGuard no_gradient;
  std::vector<at::Tensor> values, gradients, first, second;
  for (const std::size_t i : group) {
    if (!parameters_[i].grad().defined()) continue;
    values.push_back(parameters_[i]);
    gradients.push_back(parameters_[i].grad());
    first.push_back(first_[i]);
    second.push_back(second_[i]);
  }
  if (values.empty()) return;
  const at::Tensor count = at::full(
      {}, static_cast<double>(number),
      values.front().options().dtype(at::kFloat).requires_grad(false));
  const std::vector<at::Tensor> counts(values.size(), count);
  at::_fused_adamw_(values, gradients, first, second, /*max_exp_avg_sqs=*/{}, counts, learning_rate,
                    options_.beta1, options_.beta2, weight_decay, options_.epsilon,
                    /*amsgrad=*/false, /*maximize=*/false);
  for (const at::Tensor& value : values) note_written(value);  // the fused operator does not
}

WeightUpdate::WeightUpdate(const Parameters& parameters, const TrainingOptions& options)
    : learning_rate_(options.learning_rate),
      uncertainty_learning_rate_(options.uncertainty_learning_rate),
      matrix_learning_rate_(options.matrix_learning_rate),
      adamw_(make_adamw(parameters, options, Mover::AdamW)),
      uncertainty_(make_adamw(parameters, options, Mover::UncertaintyAdamW)),
      muon_(make_muon(parameters, options)) {
  require_known(options.undecayed, parameters.names);
  std::size_t matrix = 0, uncertainty = 0, other = 0;
  for (std::size_t i = 0; i < parameters.tensors.size(); ++i) {
    const Mover mover = mover_of(parameters, i, options);
    if (mover == Mover::Muon) {
      first_.push_back(muon_.momenta()[matrix++]);
      second_.emplace_back();
      continue;
    }
    const AdamW& adamw = mover == Mover::AdamW ? adamw_ : uncertainty_;
    const std::size_t position = mover == Mover::AdamW ? other++ : uncertainty++;
    first_.push_back(adamw.first_moments()[position]);
    second_.push_back(adamw.second_moments()[position]);
  }
}

void WeightUpdate::step(std::int64_t number, double share) {
  adamw_.step(number, learning_rate_ * share);
  uncertainty_.step(number, uncertainty_learning_rate_ * share);
  muon_.step(matrix_learning_rate_ * share);
}

double clip_gradients(const Parameters& parameters, double limit) {
  const at::NoGradGuard no_gradient;
  const std::vector<at::Tensor> list = gradients(parameters);
  if (list.empty()) return 0;
  const double norm = at::stack(at::_foreach_norm(list, 2)).to(at::kDouble).norm().item<double>();
  if (limit > 0 && norm > limit) at::_foreach_mul_(list, limit / norm);
  return norm;
}

void drop_gradients(const Parameters& parameters) {
  for (const at::Tensor& tensor : parameters.tensors) tensor.mutable_grad() = at::Tensor();
}

MovingAverage::MovingAverage(const Parameters& parameters, double limit)
    : parameters_(parameters.tensors), limit_(limit) {
  for (const at::Tensor& tensor : parameters_) averages_.push_back(tensor.detach().clone());
}

void MovingAverage::update(std::int64_t step) {
  const at::NoGradGuard no_gradient;
  const double decay = std::min(limit_, static_cast<double>(step) / static_cast<double>(step + 10));
  at::_foreach_lerp_(averages_, parameters_, 1 - decay);
}

BorrowedValues::BorrowedValues(const Parameters& parameters, const std::vector<at::Tensor>& values)
    : parameters_(parameters.tensors) {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    own_.push_back(parameters_[i].detach());
    parameters_[i].set_data(values[i]);
    note_written(parameters_[i]);
  }
}

BorrowedValues::~BorrowedValues() {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    parameters_[i].set_data(own_[i]);
    note_written(parameters_[i]);
  }
}

}  // namespace adadiff::detail
