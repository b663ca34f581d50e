// Error messages in one form: "where: must hold this, but found that; what to do".
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <sstream>
#include <string>

#include <adadiff/error.h>

namespace adadiff::detail {

/// The parts of a message. `where` names the call, file or field; `must` completes "must ...";
/// `found` completes "but ...".
struct Complaint {
  std::string where;
  std::string must;
  std::string found;
  std::string advice = {};
};

std::string to_message(const Complaint& complaint);

template <class E = InvalidArgument>
[[noreturn]] void raise(const Complaint& complaint) {
  throw E(to_message(complaint));
}

/// A number as a message shows it: the shortest form that reads back as the same number, or "nan"
/// or "inf".
std::string show(double value);
std::string show(std::int64_t value);
inline std::string show(int value) { return show(static_cast<std::int64_t>(value)); }
/// A text as a message shows it: quoted, with control characters escaped, and cut after 60
/// characters.
std::string show(const std::string& text);
/// An array's shape: "[16, 1, 28, 28]".
std::string show_shape(std::span<const std::int64_t> shape);

/// Raises unless low <= value <= high; raises for NaN.
template <class E = InvalidArgument, class T>
void require_range(const std::string& where, T value, T low, T high) {
  if (!(value >= low && value <= high)) {
    raise<E>({where, "be in [" + show(low) + ", " + show(high) + "]", "is " + show(value)});
  }
}

}  // namespace adadiff::detail
