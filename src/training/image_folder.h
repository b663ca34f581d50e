// A folder of pictures as training images, read as they are needed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "training/image_source.h"

namespace adadiff::detail {

/// Sides and channels that every picture is brought to.
struct ImageShape {
  std::int64_t channels = 0;  ///< 1 or 3; 0: 3 if the first picture has colour, else 1
  std::int64_t height = 0, width = 0;
};

enum class Labels : std::uint8_t {
  SubFolders,
  None  ///< pictures of sub-folders too have none
};

/// PNG and JPEG files by their ending (any case), in the order of their paths: either right in the
/// folder, without labels, or in sub-folders, one per class, sorted by name, with what is in
/// folders below them; hidden and other files are left alone. Pictures are cropped around their
/// centre and resized (io/image_resize.h) when they are first read, by several at once on as many
/// threads as LibTorch has (up to 8), and kept if all together take at most 1 GiB. Throws FileError
/// for a folder without pictures, or with both kinds; InvalidArgument for a shape out of range.
std::unique_ptr<ImageSource> open_image_folder(const std::string& path, const ImageShape& shape,
                                               Labels labels = Labels::SubFolders);

}  // namespace adadiff::detail
