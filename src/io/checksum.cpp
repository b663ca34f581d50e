// zlib's CRC-32.
#include "io/checksum.h"

#include <zlib.h>

namespace adadiff::detail {

std::uint32_t checksum_with(std::uint32_t checksum, std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(checksum, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace adadiff::detail
