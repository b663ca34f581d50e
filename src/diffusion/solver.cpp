// Solvers by name.
#include "core/names.h"
#include "diffusion/solvers.h"

namespace adadiff {
namespace {

struct Entry {
  const char* name;
  std::vector<Evaluation> (*write)(const SolverInputs& inputs);
  detail::SolverFacts facts;
};
constexpr Entry kSolvers[] = {{"ddim", detail::ddim, {}},
                              {"ddpm", detail::ddpm, {.draws_noise = true}},
                              {"euler-maruyama", detail::euler_maruyama, {.draws_noise = true}},
                              {"dpmpp-2m", detail::dpmpp_2m, {}},
                              {"heun", detail::heun, {.stages = 2}},
                              {"heun-edm", detail::heun_edm, {.stages = 2}}};

}  // namespace

Solver find_solver(std::string_view name) {
  return detail::require_named(kSolvers, name, "solver").write;
}

detail::SolverFacts detail::solver_facts(std::string_view name) {
  return require_named(kSolvers, name, "solver").facts;
}

std::vector<std::string> solver_names() { return detail::names_in(kSolvers); }

}  // namespace adadiff
