// Where tensors live and steps run.
#pragma once

#include <string>

#include <c10/core/Device.h>

namespace adadiff::detail {

/// The device of that name: "cpu", "cuda" (the first one) or "cuda:N". The first call for CUDA loads libtorch_cuda, which takes seconds; a
/// process that meant to stay on the CPU never pays for it. Throws InvalidArgument, led by `where`, for other names and for a device that
/// is not here.
at::Device find_device(const std::string& name, const std::string& where);

}  // namespace adadiff::detail
