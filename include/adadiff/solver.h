// Solvers: functions that write a table of evaluations. Every solver is linear in state, noise and
// predictions, so a run can execute any of them without knowing which one it is. Everything is
// computed in double, without tensors.
#pragma once

#include <array>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <adadiff/noise_schedule.h>

namespace adadiff {

/// The number of predictions that a solver may use, the newest one included.
inline constexpr int kPredictionHistory = 3;

/// What scales the noise of an evaluation.
enum class NoiseScale {
  Coefficient,     ///< `noise`
  LearnedVariance  ///< between `noise` and `most_noise`, value by value, as the network says:
                   ///< noise^(1 - f) * most_noise^f (Nichol & Dhariwal 2021, eq. 15)
};
/// What is blended into the state after an evaluation. This build runs only Nothing; KnownPixels is
/// inpainting.
enum class Blend { Nothing, KnownPixels };

/// One call of the network at `time` on the current state, and the linear update that follows it:
///   next = state * x + base * x_base + noise * z + unclamped * raw_0
///          + sum_k prediction[k] * clean_k
/// Here clean_0 is the clean image predicted by this evaluation, clean_1 the one predicted by the
/// evaluation before it, and so on. raw_0 is clean_0 before it was clamped, and equals clean_0
/// where nothing is clamped. x_base is the state at the first evaluation of the step, and z is
/// fresh standard normal noise. No noise is drawn where `noise` is 0.
struct Evaluation {
  double time = 1;       ///< where the network is evaluated
  double next_time = 0;  ///< time of the state after the update
  int step = 0;          ///< which move of the solver, from 0
  int stage = 0;         ///< which evaluation within the step, from 0; stage 0 sets x_base
  double state = 0;
  double base = 0;
  double noise = 0;
  double most_noise = 0;  ///< used with NoiseScale::LearnedVariance, where it is not below `noise`
  double unclamped = 0;
  std::array<double, kPredictionHistory> prediction{};
  NoiseScale noise_scale = NoiseScale::Coefficient;
  Blend blend = Blend::Nothing;
  friend bool operator==(const Evaluation&, const Evaluation&) = default;
};

/// The inputs of a solver. Times fall strictly and lie in the schedule's [min_time(), max_time()],
/// except that the last one is 0 unless the run ends before the clean image is predicted.
struct SolverInputs {
  const NoiseSchedule& schedule;
  std::span<const double> times;
  double eta = 0;           ///< DDIM only, in [0, 1]
  bool keep_noise = false;  ///< DDIM only: steps go on with the noise of the prediction before
                            ///< clamping
  /// DDPM only: the network says where each variance lies between beta-tilde and beta
  /// (NetworkInfo::has_learned_variance).
  bool learned_variance = false;
};

/// Writes the table of evaluations. Each published algorithm has a file of its own in
/// src/diffusion.
using Solver = std::function<std::vector<Evaluation>(const SolverInputs&)>;

/// The solver of that name: "ddim" (Song et al. 2021, eq. 12), "ddpm" (Ho et al. 2020, alg. 2,
/// variance beta-tilde, or learned), "euler-maruyama" (reverse SDE, Song et al. 2021, eq. 6),
/// "dpmpp-2m" (Lu et al. 2022b, alg. 2), "heun" (second order in log-SNR on clean predictions,
/// bounded for steps of any length; Hochbruck & Ostermann 2005, eq. 5.8 with c2 = 1) or "heun-edm"
/// (Karras et al. 2022, alg. 1 without churn, in sigma / alpha). A solver throws InvalidArgument
/// for steps that are too long for it. find_solver throws InvalidArgument for an unknown name and
/// lists the known ones.
Solver find_solver(std::string_view name);
/// The names that find_solver knows, the default first.
std::vector<std::string> solver_names();

}  // namespace adadiff
