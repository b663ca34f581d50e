// What a step does to the weights: AdamW (Loshchilov & Hutter 2019) and Muon, gradient clipping and
// the moving average, over lists of tensors at once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include <adadiff/training.h>

#include <adadiff/trainable_network.h>

#include "training/muon.h"

namespace adadiff::detail {

/// A network's parameters in visiting order; the tensors share the network's memory.
struct Parameters {
  std::vector<std::string> names;
  std::vector<at::Tensor> tensors;
  std::vector<bool> is_hidden_matrix, is_uncertainty;  ///< as in ParameterRole
};

/// Collects the parameters that are trained and makes them ask for gradients; the others ask for
/// none. Throws InvalidArgument where no parameter is trained.
Parameters trainable_parameters(TrainableNetwork& network, Trained trained = Trained::All);

struct AdamWOptions {
  double beta1 = 0.9, beta2 = 0.99;
  double epsilon = 1e-8;
  double weight_decay = 0.01;
  std::vector<std::string> undecayed;  ///< exact names of parameters without decay
};

/// Keeps the moments of all parameters. A step leaves parameters without a gradient as they are.
class AdamW {
 public:
  AdamW(const Parameters& parameters, AdamWOptions options);
  /// Makes step `number` (from 1) with the gradients that the parameters hold.
  void step(std::int64_t number, double learning_rate);
  const std::vector<at::Tensor>& first_moments() const { return first_; }
  const std::vector<at::Tensor>& second_moments() const { return second_; }

 private:
  void update(const std::vector<std::size_t>& group, std::int64_t number, double learning_rate,
              double weight_decay);

  std::vector<at::Tensor> parameters_, first_, second_;
  std::vector<std::size_t> decayed_, undecayed_;  ///< positions in parameters_
  AdamWOptions options_;
};

/// Updates all parameters as the options say: hidden matrices with Muon and the rest with AdamW, or
/// all with AdamW. UEMs have a learning rate of their own.
class WeightUpdate {
 public:
  /// Throws InvalidArgument where `undecayed` names a parameter that does not exist.
  WeightUpdate(const Parameters& parameters, const TrainingOptions& options);
  /// Makes step `number` (from 1) with the gradients that the parameters hold, at a share of the
  /// peak learning rates.
  void step(std::int64_t number, double share);
  /// The first moments of all parameters; for Muon, its momenta.
  const std::vector<at::Tensor>& first_moments() const { return first_; }
  /// The second moments of all parameters; undefined for Muon, which has none.
  const std::vector<at::Tensor>& second_moments() const { return second_; }

 private:
  double learning_rate_, uncertainty_learning_rate_, matrix_learning_rate_;
  AdamW adamw_, uncertainty_;
  Muon muon_;
  std::vector<at::Tensor> first_, second_;
};

/// Scales the gradients so that their norm over all parameters is at most `limit` (0: leaves them
/// as they are). Returns the norm before scaling.
double clip_gradients(const Parameters& parameters, double limit);
/// Drops the gradients; the next backward pass makes new ones without a copy.
void drop_gradients(const Parameters& parameters);

/// The averaged weights: average += (1 - decay) * (value - average), decay = min(limit, step /
/// (step + 10)) after step `step` (from 1).
class MovingAverage {
 public:
  MovingAverage(const Parameters& parameters, double limit);
  void update(std::int64_t step);
  const std::vector<at::Tensor>& averages() const { return averages_; }

 private:
  std::vector<at::Tensor> parameters_, averages_;
  double limit_;
};

/// Puts other values into a network's parameters, without a copy, until the end of its scope. No
/// graph may be alive meanwhile.
class BorrowedValues {
 public:
  BorrowedValues(const Parameters& parameters, const std::vector<at::Tensor>& values);
  ~BorrowedValues();
  BorrowedValues(const BorrowedValues&) = delete;
  BorrowedValues& operator=(const BorrowedValues&) = delete;

 private:
  std::vector<at::Tensor> parameters_, own_;
};

}  // namespace adadiff::detail
