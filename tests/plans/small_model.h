// A model of four blocks and a table to compile plans against.
#pragma once

#include "plans/compile.h"

namespace adadiff::test {

inline detail::ModelFacts small_model() {
  detail::ModelFacts model;
  model.blocks = 4;
  model.can_exit = {1, 1, 1, 1};
  model.process.schedule = cosine_schedule();
  model.id = "model-a";
  return model;
}

inline SolverSettings settings_of(const std::string& solver, int steps) {
  SolverSettings settings;
  settings.solver = solver;
  settings.steps = steps;
  return settings;
}

inline detail::ExecutablePlan compile(const Plan& plan, const SolverSettings& settings,
                                      const detail::ModelFacts& model) {
  const auto times = settings.times.empty()
                         ? time_grid(settings.grid, model.process, settings.steps)
                         : settings.times;
  const auto table = find_solver(settings.solver)({*model.process.schedule, times, settings.eta});
  return detail::compile(plan, settings, table, model);
}

inline detail::ExecutablePlan compile(const Plan& plan,
                                      const detail::ModelFacts& model = small_model()) {
  return compile(plan, settings_of("ddim", 10), model);
}

}  // namespace adadiff::test
