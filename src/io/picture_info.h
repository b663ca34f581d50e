// What the file of a picture says about it before it is decoded.
#pragma once

#include <cstdint>
#include <string>

namespace adadiff::detail {

struct PictureInfo {
  std::int64_t height = 0, width = 0;  ///< of the picture as it should be shown
  bool is_grey = false;
  bool has_transparency = false;  ///< read_image drops it
  int orientation = 1;            ///< Exif's, in [1, 8]; read_image turns pictures where this is
                                  ///< not 1
};

/// Reads the information of a PNG or JPEG file. Throws FileError, ModelError.
PictureInfo read_picture_info(const std::string& path);

}  // namespace adadiff::detail
