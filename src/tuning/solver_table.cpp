// Asks solvers for their tables.
#include "tuning/solver_table.h"

#include <algorithm>

#include <adadiff/noise_schedule.h>

namespace adadiff::detail {

std::vector<Evaluation> solver_table(const SolverSettings& settings) {
  const SchedulePtr schedule = find_schedule("cosine");
  const std::vector<double> times = time_grid(settings.grid, *schedule, settings.steps);
  return find_solver(settings.solver)({*schedule, times, settings.eta});
}

bool draws_noise(const SolverSettings& settings) {
  const std::vector<Evaluation> table = solver_table(settings);
  return std::any_of(table.begin(), table.end(), [](const Evaluation& e) { return e.noise != 0; });
}

}  // namespace adadiff::detail
