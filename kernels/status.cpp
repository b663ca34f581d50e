// Names of the statuses.
#include "kernels/status.h"

namespace adadiff::kernels {

const char* to_string(Status status) {
  switch (status) {
    case Status::Ok:
      return "ok";
    case Status::InvalidArgument:
      return "invalid argument";
    case Status::Unsupported:
      return "not supported by this build or device";
    case Status::DeviceFailure:
      return "device failure";
  }
  return "unknown status";
}

}  // namespace adadiff::kernels
