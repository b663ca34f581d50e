// Tells torch's out of memory from its other errors, and shortens both to a line.
#include "pipeline/torch_errors.h"

#include <c10/util/Exception.h>

#include "core/check.h"

namespace adadiff::detail {
namespace {

/// Torch's message continues with a backtrace or a hint on further lines.
std::string said(const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
  return "torch said \"" + text.substr(0, text.find('\n')) + "\"";
}

/// The allocator of the CPU has no exception type of its own.
bool is_out_of_memory(const c10::Error& error) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) return true;
  return std::string(error.what_without_backtrace()).find("can't allocate memory") !=
         std::string::npos;
}

}  // namespace

void raise_torch_error(const c10::Error& error, const char* call, std::int64_t batch_bytes) {
  if (!is_out_of_memory(error))
    raise<DeviceError>({call, "run without an error of torch's", said(error)});
  raise({"Request.batch", "fit into memory",
         "needs " + show(batch_bytes) + " bytes and what the network takes: " + said(error),
         "ask for a smaller batch"});
}

void raise_torch_error(const c10::Error& error, const std::string& source) {
  raise<DeviceError>(
      {source, is_out_of_memory(error) ? "fit into memory" : "load without an error of torch's",
       said(error)});
}

}  // namespace adadiff::detail
