// Settings of glibc's allocator; MALLOC_ environment variables that the user set stay in force.
#include "cli/terminal/memory.h"

#include <cstdlib>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace adadiff::cli {

void keep_freed_memory() {
#if defined(__GLIBC__)
  constexpr int kNever = 1 << 30;  // bytes
  if (std::getenv("MALLOC_MMAP_THRESHOLD_") == nullptr) mallopt(M_MMAP_THRESHOLD, kNever);
  if (std::getenv("MALLOC_TRIM_THRESHOLD_") == nullptr) mallopt(M_TRIM_THRESHOLD, kNever);
#endif
}

}  // namespace adadiff::cli
