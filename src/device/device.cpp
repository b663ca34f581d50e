// Finds CUDA at run time. LibTorch's CUDA half registers itself when it is loaded, so one build
// serves machines with and without a GPU.
#include "device/device.h"

#include <dlfcn.h>

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string_view>

#include <ATen/Context.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <c10/util/Exception.h>

#include "core/check.h"

namespace adadiff {
namespace detail {
namespace {

/// Torch tells on standard error why it finds no device; this keeps it for the exception.
class KeptWarning final : public c10::WarningHandler {
 public:
  void process(const c10::Warning& warning) override {
    text_ = warning.msg().substr(0, warning.msg().find('\n'));
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// Where the CUDA half of this process' LibTorch is. Another one, of another version perhaps, would
/// not fit its other half.
std::string cuda_library() {
  Dl_info info{};
  const int is_found = dladdr(reinterpret_cast<const void*>(&at::globalContext), &info);
  if (is_found == 0 || info.dli_fname == nullptr) return "libtorch_cuda.so";
  return std::filesystem::path(info.dli_fname).replace_filename("libtorch_cuda.so").string();
}

void load_cuda(const std::string& name, const std::string& where) {
  if (c10::impl::hasDeviceGuardImpl(c10::DeviceType::CUDA)) return;
  // For the life of the process: torch keeps pointers into it.
  if (dlopen(cuda_library().c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr) return;
  const char* reason = dlerror();
  raise<DeviceError>({where, "be a device that this LibTorch can use",
                      "is " + show(name) + ", and its CUDA half does not load: " +
                          (reason != nullptr ? reason : "no reason is known"),
                      "use a LibTorch with CUDA and all the libraries that it needs, or the CPU"});
}

void require_cuda_device(std::int64_t index, const std::string& name, const std::string& where) {
  KeptWarning warning;
  const c10::WarningUtils::WarningHandlerGuard guard(&warning);
  const c10::DeviceIndex count = c10::impl::getDeviceGuardImpl(c10::DeviceType::CUDA)
                                     ->deviceCount();
  if (index < count) return;
  const std::string reason = warning.text().empty() ? "" : " (" + warning.text() + ")";
  raise<DeviceError>(
      {where, "be a device of this machine",
       "is " + show(name) + ", and torch sees " + std::to_string(count) + " with CUDA" + reason,
       "nvidia-smi shows what is there"});
}

/// N of "cuda:N", 0 of "cuda", -1 of anything else.
std::int64_t cuda_index(std::string_view name) {
  constexpr std::string_view kCuda = "cuda";
  if (name == kCuda) return 0;
  if (!name.starts_with(kCuda) || name[kCuda.size()] != ':') return -1;
  const std::string_view digits = name.substr(kCuda.size() + 1);
  int index = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  const bool is_number = error == std::errc() && end == digits.data() + digits.size();
  return is_number && index <= std::numeric_limits<c10::DeviceIndex>::max() ? index : -1;
}

}  // namespace

at::Device torch_device(const Device& device) {
  if (device.kind == Device::Kind::Cpu) return {c10::DeviceType::CPU};
  return {c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(device.index)};
}

Device device_of(const at::Device& device) {
  if (!device.is_cuda()) return {};
  return {Device::Kind::Cuda, device.has_index() ? device.index() : 0};
}

at::Device find_device(const std::string& name, const std::string& where) {
  if (name == "cpu") return {c10::DeviceType::CPU};
  const std::int64_t index = cuda_index(name);
  if (index < 0) raise({where, "be cpu, cuda or cuda:N", "is " + show(name)});
  load_cuda(name, where);
  require_cuda_device(index, name, where);
  return {c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(index)};
}

}  // namespace detail

std::string to_string(const Device& device) {
  return device.kind == Device::Kind::Cpu ? "cpu" : "cuda:" + std::to_string(device.index);
}

Device parse_device(const std::string& name) {
  if (name == "cpu") return {};
  const std::int64_t index = detail::cuda_index(name);
  if (index < 0) detail::raise({"device", "be cpu, cuda or cuda:N", "is " + detail::show(name)});
  return {Device::Kind::Cuda, static_cast<int>(index)};
}

}  // namespace adadiff
