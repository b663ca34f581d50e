// A check of what stb_image reads from a JPEG without checking it.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace adadiff::detail {

/// Throws ModelError where a JPEG defines a Huffman table of more than 256 codes (ITU-T T.81,
/// B.2.4.2), for which stb_image 2.27 writes beyond its arrays. The check goes from marker to
/// marker as stb does. Bytes that are not a JPEG pass.
void check_huffman_tables(std::span<const std::byte> jpeg, const std::string& path);

}  // namespace adadiff::detail
