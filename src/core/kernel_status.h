// Turns the status of a kernel into an error, so that no result of a kernel that refused or failed
// is ever used.
#pragma once

#include "kernels/status.h"

namespace adadiff::detail {

/// Throws DeviceError unless the status is Ok. `kernel` names the call in the message.
void require_ok(kernels::Status status, const char* kernel);

}  // namespace adadiff::detail
