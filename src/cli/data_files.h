// Where an MNIST-like data set's files are.
#pragma once

#include <string>

namespace adadiff::cli {

/// Where Debian's dataset-fashion-mnist puts them.
inline constexpr const char* kFashionMnist = "/usr/share/datasets/fashion-mnist";

/// FOLDER/STEM or FOLDER/STEM.gz, whichever is there. Throws FileError.
std::string find_data(const std::string& folder, const std::string& stem);

}  // namespace adadiff::cli
