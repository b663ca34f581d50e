// ONNX files: any bytes are read or refused with adadiff::Error, and what is read loads.
#include <adadiff/error.h>

#include "convert/onnx_file.h"
#include "fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file(data, size);
  try {
    for (const auto& [name, tensor] : adadiff::detail::read_onnx_file(file.path())) tensor.load();
  } catch (const adadiff::Error&) {
  }
  return 0;
}
