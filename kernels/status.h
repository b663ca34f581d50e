// What a launcher returns: no exceptions, and the same type whether or not CUDA is built.
#pragma once

namespace adadiff::kernels {

/// A caller that ignored the status would go on with numbers that nobody wrote.
enum class [[nodiscard]] Status{
    Ok,
    InvalidArgument,  ///< a null pointer, a negative or overlong size, or a stride too small
    Unsupported,      ///< this build or device has no such kernel
    DeviceFailure,    ///< the device refused or failed
};

const char* to_string(Status status);

}  // namespace adadiff::kernels
