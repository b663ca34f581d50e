// Turns what torch throws while a model is opened or a run works into errors that a caller can act
// on.
#pragma once

#include <cstdint>
#include <string>

namespace c10 {
class Error;
}

namespace adadiff::detail {

/// Raises the error for what torch threw during `call` of a run: InvalidArgument of Request.batch
/// where torch ran out of memory, else DeviceError. `batch_bytes` is what a batch takes outside the
/// network.
[[noreturn]] void raise_run_error(const c10::Error& error, const char* call,
                                  std::int64_t batch_bytes);
/// Raises a DeviceError for what torch threw while the model file `path` was loaded.
[[noreturn]] void raise_load_error(const c10::Error& error, const std::string& path);

}  // namespace adadiff::detail
