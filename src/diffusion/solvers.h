// The solvers, one function per published algorithm, and what their files share.
#pragma once

#include <span>
#include <vector>

#include <adadiff/solver.h>

namespace adadiff::detail {

inline constexpr int kMostSteps = 10000;

std::vector<Evaluation> ddim(const SolverInputs& inputs);
std::vector<Evaluation> ddpm(const SolverInputs& inputs);
std::vector<Evaluation> euler_maruyama(const SolverInputs& inputs);
std::vector<Evaluation> dpmpp_2m(const SolverInputs& inputs);
std::vector<Evaluation> heun(const SolverInputs& inputs);

/// Raises unless the times fall strictly, end at exactly 0, and lie within the schedule's
/// [min_time(), max_time()] before that.
void check_times(const NoiseSchedule& schedule, std::span<const double> times);
/// check_times, and eta in [0, 1]; for solvers that take eta.
void check_inputs(const SolverInputs& inputs);
/// check_times, and eta 0; for solvers that don't.
void check_inputs_without_eta(const SolverInputs& inputs, const char* solver);

/// alpha and sigma at both ends of a step from time t down to time s.
struct Step {
  double time = 1, next = 0;
  double alpha_t = 0, sigma_t = 0;
  double alpha_s = 1, sigma_s = 0;
  double
      kept = 0;  ///< alpha_t / alpha_s, the share of the state at s that stands in the state at t
  double added = 0;  ///< 1 - kept^2, variance that noise adds from s to t, without cancellation
};

/// Step number `index` of the grid.
Step step_at(const SolverInputs& inputs, std::size_t index);
/// An evaluation at the start of step `index`, its coefficients still 0.
Evaluation evaluation_at(const SolverInputs& inputs, std::size_t index);

}  // namespace adadiff::detail
