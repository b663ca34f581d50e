// Which back end holds the numbers of which device. Tests that hold them elsewhere replace this
// file.
#include "sampling/cpu_state.h"

namespace adadiff::detail {

std::unique_ptr<StateBackend> make_state_backend(const NetworkInfo& info, std::int64_t capacity,
                                                 int branches) {
  return std::make_unique<CpuState>(info, capacity, branches);
}

}  // namespace adadiff::detail
