// at::parallel_for runs what it is given one after the other unless the file that calls it is
// compiled with OpenMP. This is that file, and the only one: precompiled headers are shared by
// files with the same options.
#include "device/parallel.h"

#include <ATen/Parallel.h>

namespace adadiff::detail {

void parallel_rows(std::int64_t rows,
                   const std::function<void(std::int64_t first, std::int64_t last)>& work) {
  constexpr std::int64_t kFewestRows = 1;  // of one thread
  at::parallel_for(0, rows, kFewestRows, work);
}

}  // namespace adadiff::detail
