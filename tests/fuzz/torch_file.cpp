// PyTorch's files: any bytes are read or refused with adadiff::Error, as an archive and as the
// pickle in one, and what is read loads or is refused.
#include <cstddef>
#include <span>

#include <adadiff/error.h>

#include "convert/pickle.h"
#include "convert/torch_file.h"
#include "fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    adadiff::detail::parse_pickle({reinterpret_cast<const std::byte*>(data), size}, "fuzz");
  } catch (const adadiff::Error&) {
  }
  const MemoryFile file(data, size);
  try {
    for (const auto& [name, tensor] : adadiff::detail::read_torch_file(file.path())) tensor.load();
  } catch (const adadiff::Error&) {
  }
  return 0;
}
