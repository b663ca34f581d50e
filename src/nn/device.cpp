// Finds CUDA at run time. LibTorch's CUDA half registers itself when it is loaded, so one build serves machines with and without a GPU.
#include "nn/device.h"

#include <dlfcn.h>

#include <charconv>
#include <cstdint>
#include <string_view>

#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <c10/util/Exception.h>

#include "core/check.h"

namespace adadiff::detail {
namespace {

constexpr const char* kLibrary = "libtorch_cuda.so";

/// Torch warns on standard error where there is no driver; the count says as much.
class SilentWarnings final : public c10::WarningHandler {
  void process(const c10::Warning&) override {}
};

/// Empty, or why CUDA is not to be had.
std::string load_cuda() {
  if (c10::impl::hasDeviceGuardImpl(c10::DeviceType::CUDA)) return {};
  // For the life of the process: torch keeps pointers into it.
  if (dlopen(kLibrary, RTLD_NOW | RTLD_GLOBAL) != nullptr) return {};
  const char* reason = dlerror();
  return reason != nullptr ? reason : "unknown reason";
}

std::int64_t count_cuda_devices() {
  SilentWarnings silent;
  const c10::WarningUtils::WarningHandlerGuard guard(&silent);
  return c10::impl::getDeviceGuardImpl(c10::DeviceType::CUDA)->deviceCount();
}

/// N of "cuda:N", 0 of "cuda", -1 of anything else.
std::int64_t cuda_index(std::string_view name) {
  constexpr std::string_view kCuda = "cuda";
  if (name == kCuda) return 0;
  if (!name.starts_with(kCuda) || name[kCuda.size()] != ':') return -1;
  const std::string_view digits = name.substr(kCuda.size() + 1);
  std::int8_t index = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  return error == std::errc() && end == digits.data() + digits.size() ? index : -1;
}

}  // namespace

at::Device find_device(const std::string& name, const std::string& where) {
  if (name == "cpu") return {c10::DeviceType::CPU};
  const std::int64_t index = cuda_index(name);
  if (index < 0) raise({where, "be cpu, cuda or cuda:N", "is " + show(name)});
  if (const std::string reason = load_cuda(); !reason.empty()) {
    raise({where, "be a device that this LibTorch can use", "is " + show(name) + ", and " + kLibrary + " does not load: " + reason,
           "use a LibTorch with CUDA and all the libraries that it needs, or the CPU"});
  }
  const std::int64_t count = count_cuda_devices();
  if (index >= count) {
    raise({where, "be a device of this machine", "is " + show(name) + ", and torch sees " + show(count) + " with CUDA",
           "nvidia-smi shows what is there"});
  }
  return {c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(index)};
}

}  // namespace adadiff::detail
