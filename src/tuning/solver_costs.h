// What a solver will do, as far as it is known before there is a model.
#pragma once

#include <adadiff/plan.h>

namespace adadiff::detail {

/// How many evaluations of the network a run with these settings makes.
int evaluation_count(const SolverSettings& settings);

/// True for solvers that take another path for every number of steps. Images of different paths
/// have no paired error.
bool draws_noise(const SolverSettings& settings);

}  // namespace adadiff::detail
