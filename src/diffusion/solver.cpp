// Solvers by name.
#include "core/check.h"
#include "diffusion/solvers.h"

namespace adadiff {
namespace {

struct Entry {
  const char* name;
  std::vector<Evaluation> (*write)(const SolverInputs& inputs);
};
constexpr Entry kSolvers[] = {{"ddim", detail::ddim},
                              {"ddpm", detail::ddpm},
                              {"euler-maruyama", detail::euler_maruyama},
                              {"dpmpp-2m", detail::dpmpp_2m},
                              {"heun", detail::heun}};

}  // namespace

Solver find_solver(std::string_view name) {
  std::string known;
  for (const Entry& entry : kSolvers) {
    if (entry.name == name) return entry.write;
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  }
  detail::raise({"solver", "be one of " + known, "is " + detail::show(std::string(name))});
}

std::vector<std::string> solver_names() {
  std::vector<std::string> names;
  for (const Entry& entry : kSolvers) names.emplace_back(entry.name);
  return names;
}

}  // namespace adadiff
