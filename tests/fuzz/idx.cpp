// Data sets of the MNIST family, plain or gzipped: any bytes are read or refused with
// adadiff::Error within a bound on memory.
#include <cstdlib>

#include <adadiff/error.h>

#include "fuzz/memory_file.h"
#include "io/idx.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMostBytes = 1 << 20;
  const MemoryFile file(data, size);
  try {
    if (adadiff::detail::read_idx(file.path(), kMostBytes).values.size() > kMostBytes) std::abort();
  } catch (const adadiff::Error&) {
  }
  return 0;
}
