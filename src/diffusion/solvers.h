// The solvers, one function per published algorithm, and what their files share.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include <adadiff/solver.h>

namespace adadiff::detail {

inline constexpr int kMostSteps = 10000;

std::vector<Evaluation> ddim(const SolverInputs& inputs);
std::vector<Evaluation> ddpm(const SolverInputs& inputs);
std::vector<Evaluation> euler_maruyama(const SolverInputs& inputs);
std::vector<Evaluation> dpmpp_2m(const SolverInputs& inputs);
std::vector<Evaluation> heun(const SolverInputs& inputs);
std::vector<Evaluation> heun_edm(const SolverInputs& inputs);

/// What a solver does whatever the schedule and the times.
struct SolverFacts {
  int stages = 1;            ///< evaluations per step; a step to time 0 has one
  bool draws_noise = false;  ///< DDIM draws some where eta is above 0
};
/// Throws InvalidArgument for an unknown name.
SolverFacts solver_facts(std::string_view name);
/// Evaluations in a table of so many steps.
constexpr int evaluation_count(const SolverFacts& facts, int steps, bool ends_clean) {
  return ends_clean ? facts.stages * (steps - 1) + 1 : facts.stages * steps;
}

/// Raises unless the times fall strictly, end at 0 or within the schedule's [min_time(),
/// max_time()], and lie within it before that.
void check_times(const NoiseSchedule& schedule, std::span<const double> times);
/// check_times, and what only DDIM takes left at its default; for the other solvers.
void check_plain_inputs(const SolverInputs& inputs, const char* solver);

/// alpha and sigma at both ends of a step from time t down to time s.
struct Step {
  double time = 1, next = 0;
  double alpha_t = 0, sigma_t = 0;
  double alpha_s = 1, sigma_s = 0;
  double
      kept = 0;  ///< alpha_t / alpha_s, the share of the state at s that stands in the state at t
  double added = 0;  ///< sigma_t^2 - kept^2 sigma_s^2, variance that noise adds from s to t,
                     ///< without cancellation
};

/// Step number `index` of the grid.
Step step_at(const SolverInputs& inputs, std::size_t index);
/// lambda_s - lambda_t with lambda = ln(alpha / sigma); infinite to time 0 and from where alpha is
/// 0.
double log_step(const SolverInputs& inputs, const Step& step);
/// An evaluation at the start of step `index`, its coefficients still 0.
Evaluation evaluation_at(const SolverInputs& inputs, std::size_t index);

}  // namespace adadiff::detail
