// What stb_image takes from a PNG unchecked: its checksums, and whether it is whole.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace adadiff::detail {

/// Throws ModelError where the checksum of a PNG's chunk is not that of its bytes, or where the
/// file ends before the chunk IEND (ISO 15948, 5.3). Bytes that are no PNG pass, and so do a wrong
/// checksum of a chunk that holds remarks only (text, EXIF, time, resolution), an IEND without its
/// checksum, and what stands behind IEND.
void check_png_chunks(std::span<const std::byte> png, const std::string& path);

}  // namespace adadiff::detail
