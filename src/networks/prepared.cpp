// Types of precisions, and the versions of parameters.
#include "networks/prepared.h"

#include <array>
#include <cstring>

#include "core/check.h"
#include "core/fnv.h"
#include "kernels/processor.h"

namespace adadiff::detail {

at::ScalarType scalar_type(Precision precision) {
  switch (precision) {
    case Precision::Float32:
      return at::kFloat;
    case Precision::BFloat16:
      return at::kBFloat16;
    case Precision::Float16:
    case Precision::Int8:
      break;
  }
  raise({"PassOptions.precision", "be float32 or bfloat16", "is another type"});
}

std::vector<Precision> block_precisions(const Device& device) {
  if (device.kind == Device::Kind::Cpu && !kernels::has_bfloat16()) return {Precision::Float32};
  return {Precision::Float32, Precision::BFloat16};
}

std::uint64_t version_of(const std::function<void(const TensorVisitor&)>& visit) {
  std::uint64_t version = kFnv64Start;
  visit([&version](const std::string&, at::Tensor& tensor) {
    const auto identity = reinterpret_cast<std::uintptr_t>(tensor.unsafeGetTensorImpl());
    const std::uint64_t numbers[] = {
        identity, tensor.is_inference() ? 0 : static_cast<std::uint64_t>(tensor._version())};
    std::array<std::uint8_t, sizeof(numbers)> bytes;
    std::memcpy(bytes.data(), numbers, sizeof(numbers));
    version = fnv64(version, bytes);
  });
  return version;
}

}  // namespace adadiff::detail
