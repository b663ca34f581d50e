// PNGs made by hand, and damage that their checksums do not tell.
#pragma once

#include <cstdint>
#include <string>

#include <zlib.h>

namespace adadiff::detail {

inline std::string big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}

inline std::string chunk(const std::string& type, const std::string& content) {
  const std::string body = type + content;
  const uLong checksum = crc32(0, reinterpret_cast<const Bytef*>(body.data()),
                               static_cast<uInt>(body.size()));
  return big_endian(static_cast<std::uint32_t>(content.size())) + body +
         big_endian(static_cast<std::uint32_t>(checksum));
}

/// The same PNG with checksums that fit its chunks, as far as their lengths make sense.
inline std::string with_checksums(std::string png) {
  constexpr std::size_t kSignature = 8, kFrame = 12;
  for (std::size_t at = kSignature; at + kFrame <= png.size();) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i)
      length = length << 8 | static_cast<unsigned char>(png[at + i]);
    if (length > png.size() - at - kFrame) break;
    png.replace(at, kFrame + length, chunk(png.substr(at + 4, 4), png.substr(at + 8, length)));
    at += kFrame + length;
  }
  return png;
}

}  // namespace adadiff::detail
