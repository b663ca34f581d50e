// The device on which tensors live and steps run.
#pragma once

#include <string>

#include <c10/core/Device.h>

#include <adadiff/device.h>

namespace adadiff::detail {

/// The device of that name: "cpu", "cuda" (the first one) or "cuda:N". The first call for a CUDA
/// device loads libtorch_cuda from beside libtorch_cpu. That takes seconds, and no other thread may
/// run torch meanwhile; a process that stays on the CPU never loads it. Throws InvalidArgument for
/// other names and DeviceError for a device that is not present; messages begin with `where`.
at::Device find_device(const std::string& name, const std::string& where);

/// Torch's word for a device, and the other way round; devices of other kinds become CPUs.
at::Device torch_device(const Device& device);
Device device_of(const at::Device& device);

}  // namespace adadiff::detail
