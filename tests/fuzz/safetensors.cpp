// Safetensors: any bytes are read or refused with adadiff::Error, and every view lies within them.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include <adadiff/error.h>

#include "io/safetensors.h"

namespace {

bool lies_within(std::span<const std::byte> part, std::span<const std::byte> whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), size);
  try {
    for (const adadiff::detail::TensorView& tensor :
         adadiff::detail::parse_safetensors(bytes, "fuzz").tensors) {
      std::size_t wanted = adadiff::detail::size_of(tensor.dtype);
      for (const std::int64_t extent : tensor.shape) wanted *= static_cast<std::size_t>(extent);
      if (tensor.bytes.size() != wanted || !lies_within(tensor.bytes, bytes)) std::abort();
    }
  } catch (const adadiff::Error&) {
  }
  return 0;
}
