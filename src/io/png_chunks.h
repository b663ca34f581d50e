// A check of what stb_image does not check in a PNG: its checksums, and whether the file is whole.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace adadiff::detail {

/// Throws ModelError where the checksum of a PNG's chunk is not that of its bytes, or where the
/// file ends before the chunk IEND (ISO 15948, 5.3). Some files pass nevertheless: bytes that are
/// not a PNG, a wrong checksum of a chunk that holds only remarks (text, EXIF, time, resolution),
/// an IEND without its checksum, and anything that follows IEND.
void check_png_chunks(std::span<const std::byte> png, const std::string& path);

}  // namespace adadiff::detail
