// Tells running out of memory, which a smaller batch mends, from everything else.
#include "pipeline/run_errors.h"

#include "core/check.h"
#include "device/torch_errors.h"

namespace adadiff::detail {

void raise_run_error(const c10::Error& error, const char* call, std::int64_t batch_bytes) {
  if (!is_out_of_memory(error)) raise_torch_failure<DeviceError>(call, error);
  raise({"Request.batch", "fit into memory",
         "needs " + show(batch_bytes) + " bytes and what the network takes: PyTorch said " +
             show(torch_said(error)),
         "ask for a smaller batch"});
}

void raise_load_error(const c10::Error& error, const std::string& path) {
  if (!is_out_of_memory(error)) raise_torch_failure<DeviceError>(path, error);
  raise<DeviceError>({path, "fit into memory", "PyTorch said " + show(torch_said(error))});
}

}  // namespace adadiff::detail
