// NumPy arrays: any bytes are read or refused with adadiff::Error, and values fit the shape.
#include <cstdlib>

#include <adadiff/error.h>

#include "fuzz/memory_file.h"
#include "io/npy.h"

namespace {

template <class Array>
void check(const Array& array) {
  std::size_t wanted = 1;
  for (const std::int64_t extent : array.shape) wanted *= static_cast<std::size_t>(extent);
  if (array.values.size() != wanted) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file(data, size);
  try {
    check(adadiff::detail::read_npy_floats(file.path()));
  } catch (const adadiff::Error&) {
  }
  try {
    check(adadiff::detail::read_npy_integers(file.path()));
  } catch (const adadiff::Error&) {
  }
  return 0;
}
