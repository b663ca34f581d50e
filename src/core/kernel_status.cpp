#include "core/kernel_status.h"

#include <string>

#include "core/check.h"

namespace adadiff::detail {

void require_ok(kernels::Status status, const char* kernel) {
  if (status != kernels::Status::Ok) {
    raise<DeviceError>({kernel, "run on this device with its arguments",
                        std::string("reported: ") + kernels::to_string(status)});
  }
}

}  // namespace adadiff::detail
