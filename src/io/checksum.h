// A checksum that guards against damage, not against forgery.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace adadiff::detail {

/// Continues a CRC-32 (zlib's) with more bytes; the first `checksum` is 0.
std::uint32_t checksum_with(std::uint32_t checksum, std::span<const std::byte> bytes);

}  // namespace adadiff::detail
