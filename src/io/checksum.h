// A check against damage, not against forgery.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace adadiff::detail {

/// CRC-32 (zlib's) of more bytes; begins with 0.
std::uint32_t checksum_with(std::uint32_t checksum, std::span<const std::byte> bytes);

}  // namespace adadiff::detail
