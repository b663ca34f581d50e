// Torch's exceptions as adadiff's own, so that a caller meets one family of errors.
#pragma once

#include <cstdint>
#include <string>

namespace c10 {
class Error;
}

namespace adadiff::detail {

/// During `call` of a run: InvalidArgument of Request.batch where torch was out of memory,
/// DeviceError otherwise. `batch_bytes`: what a batch takes outside the network.
[[noreturn]] void raise_torch_error(const c10::Error& error, const char* call,
                                    std::int64_t batch_bytes);
/// The same while `source` is loaded: always a DeviceError.
[[noreturn]] void raise_torch_error(const c10::Error& error, const std::string& source);

}  // namespace adadiff::detail
