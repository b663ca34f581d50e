// What a picture's file says of it before it is decoded.
#pragma once

#include <cstdint>
#include <string>

namespace adadiff::detail {

struct PictureInfo {
  std::int64_t height = 0, width = 0;  ///< as it is meant to be seen
  bool is_grey = false;
  bool has_transparency = false;  ///< which read_image drops
  int orientation = 1;            ///< Exif's, in [1, 8]; other than 1: read_image turns it
};

/// Of a PNG or JPEG. Throws FileError, ModelError.
PictureInfo read_picture_info(const std::string& path);

}  // namespace adadiff::detail
