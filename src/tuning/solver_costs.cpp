// Answers questions about solver settings from what the solver says about itself.
#include "tuning/solver_costs.h"

#include "diffusion/solvers.h"

namespace adadiff::detail {

int evaluation_count(const SolverSettings& settings) {
  const bool has_times = !settings.times.empty();
  const int steps = has_times ? static_cast<int>(settings.times.size()) - 1 : settings.steps;
  const bool ends_clean = has_times ? settings.times.back() == 0 : settings.last == LastStep::Clean;
  return evaluation_count(solver_facts(settings.solver), steps, ends_clean);
}

bool draws_noise(const SolverSettings& settings) {
  return solver_facts(settings.solver).draws_noise || settings.eta > 0;
}

}  // namespace adadiff::detail
