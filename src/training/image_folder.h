// A folder of pictures as training images, read as they are needed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "training/image_source.h"

namespace adadiff::detail {

/// The sides and channels to which every picture is brought.
struct ImageShape {
  std::int64_t channels = 0;  ///< 1 or 3; 0: 3 if the first picture has colour, else 1
  std::int64_t height = 0, width = 0;
};

enum class Labels : std::uint8_t {
  SubFolders,
  None  ///< no picture has a label, not even those in sub-folders
};

/// Opens a folder of pictures, which are the files with the endings of PNG and JPEG (in any case),
/// in the order of their paths. They lie either directly in the folder, without labels, or in one
/// sub-folder per class, sorted by name, with everything in the folders below it. Hidden files and
/// other files are left alone. Pictures are cropped around their centre and resized
/// (io/image_resize.h) when they are first read. Several pictures are read at once, on as many
/// threads as LibTorch has (up to 8), and they are kept in memory if all of them together take at
/// most 1 GiB. Throws FileError for a folder without pictures, or with pictures in both places;
/// InvalidArgument for a shape out of range.
std::unique_ptr<ImageSource> open_image_folder(const std::string& path, const ImageShape& shape,
                                               Labels labels = Labels::SubFolders);

}  // namespace adadiff::detail
