// JPEG files, by libjpeg.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace adadiff::detail {

struct JpegSize {
  int width = 0, height = 0;
  int channels = 0;  ///< 1 for grey, 3 for every kind of colour
};

/// Whether the bytes begin as a JPEG does.
bool is_jpeg(std::span<const std::byte> bytes);

/// Reads the header. Throws ModelError naming `path` where libjpeg cannot read it, and where there
/// are four components of which the file does not say what they are.
JpegSize read_jpeg_size(std::span<const std::byte> jpeg, const std::string& path);

/// The pixels, uint8 [height, width, channels], as grey (channels 1) or RGB (3). Throws as
/// read_jpeg_size does, and where the picture is not whole: libjpeg would draw what it has.
/// Beside the pixels, libjpeg allocates a few rows, or 2 bytes for each value of a picture that is
/// stored in several scans.
std::vector<unsigned char> decode_jpeg(std::span<const std::byte> jpeg, int channels,
                                       const std::string& path);

}  // namespace adadiff::detail
