// Turns what torch throws into errors of adadiff.
#pragma once

#include <string>

#include <c10/util/Exception.h>

namespace adadiff::detail {

/// The first line of what torch says; further lines hold a stack and hints.
std::string torch_said(const c10::Error& error);

/// Whether an allocation failed, on whatever device.
bool is_out_of_memory(const c10::Error& error);

/// Throws E with "where: PyTorch failed: what it said".
template <class E>
[[noreturn]] void raise_torch_failure(const std::string& where, const c10::Error& error) {
  throw E(where + ": PyTorch failed: " + torch_said(error));
}

}  // namespace adadiff::detail
