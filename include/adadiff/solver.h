// Solvers: functions that write a table of evaluations. Every solver is linear in state, noise and
// predictions, so a run can execute any of them without knowing which one it is. All in double, no
// tensors.
#pragma once

#include <array>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <adadiff/noise_schedule.h>

namespace adadiff {

/// How many predictions a solver may look back on, the newest one included.
inline constexpr int kPredictionHistory = 3;

/// What scales an evaluation's noise beside its coefficient. This build runs Coefficient.
enum class NoiseScale { Coefficient, LearnedVariance };
/// What is blended into the state after an evaluation. This build runs Nothing; KnownPixels is
/// inpainting.
enum class Blend { Nothing, KnownPixels };

/// One call of the network at `time` on the current state, and the linear update after it:
///   next = state * x + base * x_base + noise * z + unclamped * raw_0 + sum_k prediction[k] *
///   clean_k
/// where clean_0 is the clean image predicted by this evaluation, clean_1 by the one before it, and
/// so on; raw_0 is clean_0 before it was clamped, the same where nothing is clamped; x_base is the
/// state at the first evaluation of the step; z is fresh standard normal noise. Where `noise` is 0
/// none is drawn.
struct Evaluation {
  double time = 1;       ///< where the network is evaluated
  double next_time = 0;  ///< time of the state after the update
  int step = 0;          ///< which move of the solver, from 0
  int stage = 0;         ///< which evaluation within the step, from 0; stage 0 sets x_base
  double state = 0;
  double base = 0;
  double noise = 0;
  double unclamped = 0;
  std::array<double, kPredictionHistory> prediction{};
  NoiseScale noise_scale = NoiseScale::Coefficient;
  Blend blend = Blend::Nothing;
  friend bool operator==(const Evaluation&, const Evaluation&) = default;
};

/// What a solver is given. Times fall strictly; the last one is 0 or, where a run ends before the
/// clean image is predicted, in the schedule's [min_time(), max_time()] as all others are.
struct SolverInputs {
  const NoiseSchedule& schedule;
  std::span<const double> times;
  double eta = 0;           ///< DDIM only, in [0, 1]
  bool keep_noise = false;  ///< DDIM only: steps go on with the noise of the unclamped prediction
};

/// Writes the table. Each published algorithm has a file of its own in src/diffusion.
using Solver = std::function<std::vector<Evaluation>(const SolverInputs&)>;

/// "ddim" (Song et al. 2021, eq. 12), "ddpm" (Ho et al. 2020, alg. 2, variance beta-tilde),
/// "euler-maruyama" (reverse SDE, Song et al. 2021, eq. 6), "dpmpp-2m" (Lu et al. 2022b, alg. 2),
/// "heun" (second order in log-SNR on clean predictions, bounded for steps of any length; Hochbruck
/// & Ostermann 2005, eq. 5.8 with c2 = 1), "heun-edm" (Karras et al. 2022, alg. 1 without churn, in
/// sigma / alpha). Solvers refuse steps that are too long for them with InvalidArgument. Throws
/// InvalidArgument for an unknown name, listing those there are.
Solver find_solver(std::string_view name);
/// The names find_solver knows, the default first.
std::vector<std::string> solver_names();

}  // namespace adadiff
