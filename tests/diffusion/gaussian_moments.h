// Carries mean and covariance of a Gaussian target exactly through a solver's table. For data N(m,
// s^2) the best clean prediction is affine in x, so everything an evaluation touches stays jointly
// Gaussian.
#pragma once

#include <array>
#include <cmath>
#include <span>

#include <adadiff/solver.h>

namespace adadiff::test {

struct Gaussian {
  double mean = 0, variance = 1;
};

/// Of x_t = alpha clean + sigma noise.
inline Gaussian marginal(const NoiseSchedule& schedule, const Gaussian& data, double time) {
  const double alpha = schedule.alpha(time), sigma = schedule.sigma(time);
  return {alpha * data.mean, alpha * alpha * data.variance + sigma * sigma};
}

/// Joint moments of the state, the base state and the last predictions, newest first.
class Moments {
 public:
  Moments(const NoiseSchedule& schedule, const Gaussian& data, double start)
      : schedule_(schedule), data_(data) {
    const Gaussian at_start = marginal(schedule, data, start);
    mean_[kState] = at_start.mean;
    covariance_[kState][kState] = at_start.variance;
  }

  Gaussian state() const { return {mean_[kState], covariance_[kState][kState]}; }

  void apply(const Evaluation& evaluation) {
    Map predict = identity();
    if (evaluation.stage == 0) predict.matrix[kBase] = unit(kState);
    for (std::size_t k = kSize - 1; k > kNewest; --k) predict.matrix[k] = unit(k - 1);
    const Gaussian now = marginal(schedule_, data_, evaluation.time);
    const double alpha = schedule_.alpha(evaluation.time),
                 gain = alpha * data_.variance / now.variance;
    predict.matrix[kNewest] = {gain};
    predict.shift[kNewest] = data_.mean - gain * now.mean;
    transform(predict);

    Map move = identity();
    move.matrix[kState] = {evaluation.state, evaluation.base};
    for (std::size_t k = 0; k < kPredictionHistory; ++k)
      move.matrix[kState][kNewest + k] = evaluation.prediction[k];
    transform(move);
    covariance_[kState][kState] += evaluation.noise * evaluation.noise;
  }

 private:
  static constexpr std::size_t kState = 0, kBase = 1, kNewest = 2, kSize = 2 + kPredictionHistory;
  using Vector = std::array<double, kSize>;
  using Matrix = std::array<Vector, kSize>;
  struct Map {
    Matrix matrix{};
    Vector shift{};
  };

  static Vector unit(std::size_t k) {
    Vector out{};
    out[k] = 1;
    return out;
  }
  static Map identity() {
    Map map;
    for (std::size_t k = 0; k < kSize; ++k) map.matrix[k] = unit(k);
    return map;
  }
  static double dot(const Vector& a, const Vector& b) {
    double sum = 0;
    for (std::size_t k = 0; k < kSize; ++k) sum += a[k] * b[k];
    return sum;
  }
  void transform(const Map& map) {
    Vector mean{};
    Matrix half{}, full{};
    for (std::size_t i = 0; i < kSize; ++i) {
      mean[i] = dot(map.matrix[i], mean_) + map.shift[i];
      for (std::size_t j = 0; j < kSize; ++j)
        half[i][j] = dot(map.matrix[i], covariance_[j]);  // symmetric: row j is column j
    }
    for (std::size_t i = 0; i < kSize; ++i) {
      for (std::size_t j = 0; j < kSize; ++j) full[i][j] = dot(half[i], map.matrix[j]);
    }
    mean_ = mean;
    covariance_ = full;
  }

  const NoiseSchedule& schedule_;
  Gaussian data_;
  Vector mean_{};
  Matrix covariance_{};
};

/// Moments of the state after the first `evaluations` of a table that starts at the exact marginal.
inline Gaussian carry(const NoiseSchedule& schedule, const Gaussian& data,
                      std::span<const Evaluation> evaluations) {
  Moments moments(schedule, data, evaluations.front().time);
  for (const Evaluation& evaluation : evaluations) moments.apply(evaluation);
  return moments.state();
}

}  // namespace adadiff::test
