// Reads torch's exceptions.
#include "device/torch_errors.h"

namespace adadiff::detail {

std::string torch_said(const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
  return text.substr(0, text.find('\n'));
}

bool is_out_of_memory(const c10::Error& error) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) return true;
  // The allocator of the CPU has no exception type of its own.
  return torch_said(error).find("can't allocate memory") != std::string::npos;
}

}  // namespace adadiff::detail
