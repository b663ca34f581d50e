// What a solver will do, before there is a model: its evaluations, and whether they draw noise.
#pragma once

#include <vector>

#include <adadiff/plan.h>
#include <adadiff/solver.h>

namespace adadiff::detail {

/// Evaluations of a run with these settings, `times` left aside. Their number, and which of them
/// draw noise, do not depend on the noise schedule; their coefficients here are those of the cosine
/// schedule.
std::vector<Evaluation> solver_table(const SolverSettings& settings);

/// True for solvers that take another path for every number of steps: images of different paths
/// have no paired error.
bool draws_noise(const SolverSettings& settings);

}  // namespace adadiff::detail
