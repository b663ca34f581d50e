// Reads the fields of a message in the wire format of Protocol Buffers, which ONNX files use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/check.h"

namespace adadiff::detail {

/// One field of a message.
struct ProtoField {
  std::uint64_t number = 0;
  std::uint64_t value = 0;           ///< of a number
  std::span<const std::byte> bytes;  ///< of a text, of bytes, of a message or of packed numbers
  bool has_bytes = false;

  std::string text() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
};

/// Goes through a message, field by field. Errors name `source`.
class ProtoReader {
 public:
  ProtoReader(std::span<const std::byte> bytes, const std::string& source)
      : bytes_(bytes), source_(source) {}

  /// Reads the next field; false at the end. Throws ModelError.
  bool next(ProtoField& field) {
    if (place_ == bytes_.size()) return false;
    const std::uint64_t key = varint();
    field = {.number = key >> 3, .value = 0, .bytes = {}, .has_bytes = false};
    switch (key & 7) {
      case 0:
        field.value = varint();
        return true;
      case 1:
        take(8);
        return true;
      case 2:
        field.bytes = take(varint());
        field.has_bytes = true;
        return true;
      case 5:
        take(4);
        return true;
      default:
        fail("has a field of an unknown kind");
    }
  }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto part = static_cast<std::uint64_t>(take(1)[0]);
      value |= (part & 0x7f) << shift;
      if ((part & 0x80) == 0) return value;
    }
    fail("has a number of too many bytes");
  }
  bool at_end() const { return place_ == bytes_.size(); }

 private:
  std::span<const std::byte> take(std::uint64_t count) {
    if (bytes_.size() - place_ < count) fail("ends too early");
    const auto taken = bytes_.subspan(place_, static_cast<std::size_t>(count));
    place_ += static_cast<std::size_t>(count);
    return taken;
  }
  [[noreturn]] void fail(const std::string& found) const {
    raise<ModelError>({source_, "be an intact ONNX file", found});
  }

  std::span<const std::byte> bytes_;
  const std::string& source_;
  std::size_t place_ = 0;
};

}  // namespace adadiff::detail
