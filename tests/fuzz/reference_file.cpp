// Statistics of real images: any bytes are read or refused with adadiff::Error. Start it with
// tests/golden/*.npz as corpus.
#include <adadiff/error.h>

#include "fuzz/memory_file.h"
#include "metrics/statistics_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file(data, size);
  try {
    adadiff::detail::read_reference(file.path(), {.most_samples = 1000});
  } catch (const adadiff::Error&) {
  }
  return 0;
}
