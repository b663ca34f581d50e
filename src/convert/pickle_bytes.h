// The numbers and texts between a pickle's opcodes.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/check.h"

namespace adadiff::detail {

/// Reads bytes in order. Throws a ModelError that names the source and the place.
class PickleBytes {
 public:
  PickleBytes(std::span<const std::byte> bytes, const std::string& source)
      : bytes_(bytes), source_(source) {}

  [[noreturn]] void fail(const std::string& found) const {
    raise<ModelError>({source_, "be a pickle that torch.save wrote",
                       found + " at byte " + show(static_cast<std::int64_t>(place_))});
  }
  const std::string& source() const { return source_; }
  std::size_t size() const { return bytes_.size(); }

  std::span<const std::byte> take(std::size_t count) {
    if (bytes_.size() - place_ < count) fail("ends too early");
    const auto taken = bytes_.subspan(place_, count);
    place_ += count;
    return taken;
  }
  std::uint8_t byte() { return static_cast<std::uint8_t>(take(1)[0]); }
  std::uint64_t little(std::size_t count) {
    std::uint64_t value = 0;
    const auto taken = take(count);
    for (std::size_t i = 0; i < count; ++i)
      value |= static_cast<std::uint64_t>(taken[i]) << (8 * i);
    return value;
  }
  std::string text(std::size_t count) {
    const auto taken = take(count);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }
  std::string line() {
    std::string found;
    for (char c = static_cast<char>(byte()); c != '\n'; c = static_cast<char>(byte()))
      found.push_back(c);
    return found;
  }
  double big_double() {
    std::uint64_t bits = 0;
    for (const std::byte part : take(8)) bits = bits << 8 | static_cast<std::uint64_t>(part);
    return std::bit_cast<double>(bits);
  }
  std::int64_t long1() {
    const std::size_t count = byte();
    if (count > 8) {
      take(count);  // larger numbers are hashes and magic numbers, which nobody asks for
      return 0;
    }
    const std::uint64_t value = little(count);
    if (count == 0 || count == 8) return static_cast<std::int64_t>(value);
    const auto shift = static_cast<int>(64 - 8 * count);
    return static_cast<std::int64_t>(value << shift) >> shift;  // extends the sign
  }

 private:
  std::span<const std::byte> bytes_;
  const std::string& source_;
  std::size_t place_ = 0;
};

}  // namespace adadiff::detail
