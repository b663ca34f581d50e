// Where tensors live and steps run.
#pragma once

#include <string>

#include <c10/core/Device.h>

namespace adadiff::detail {

/// The device of that name: "cpu", "cuda" (the first one) or "cuda:N". The first call for CUDA
/// loads libtorch_cuda from beside libtorch_cpu, which takes seconds, and during which no other
/// thread may run torch; a process that stays on the CPU never pays for it. Throws, led by `where`,
/// InvalidArgument for other names, DeviceError for a device that is not here.
at::Device find_device(const std::string& name, const std::string& where);

}  // namespace adadiff::detail
