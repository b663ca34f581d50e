// at::parallel_for runs what it is given one after the other unless the file that calls it is
// compiled with OpenMP. This is that file, and the only one: precompiled headers are shared by
// files with the same options.
#include "device/parallel.h"

#ifdef _OPENMP
#include <omp.h>
#endif

#include <ATen/Parallel.h>

namespace adadiff::detail {

void parallel_rows(std::int64_t rows,
                   const std::function<void(std::int64_t first, std::int64_t last)>& work) {
  constexpr std::int64_t kFewestRows = 1;  // of one thread
  at::parallel_for(0, rows, kFewestRows, work);
}

// OpenMP keeps the number of threads per thread; torch and the libraries that it calls ask for it
// at each parallel region.
#ifdef _OPENMP
ThreadLimit::ThreadLimit(int most) {
  if (most == 0) return;
  before_ = at::get_num_threads();
  omp_set_num_threads(most);
}

ThreadLimit::~ThreadLimit() {
  if (before_ != 0) omp_set_num_threads(before_);
}
#else
ThreadLimit::ThreadLimit(int) {}
ThreadLimit::~ThreadLimit() = default;
#endif

}  // namespace adadiff::detail
