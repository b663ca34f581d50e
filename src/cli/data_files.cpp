// Looks for data files, packed or not.
#include "cli/data_files.h"

#include <filesystem>

#include "core/check.h"

namespace adadiff::cli {

std::string find_data(const std::string& folder, const std::string& stem) {
  for (const char* ending : {"", ".gz"}) {
    const std::filesystem::path path = std::filesystem::path(folder) / (stem + ending);
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) return path.string();
  }
  detail::raise<FileError>({"--data", "name a folder with " + stem + " or " + stem + ".gz",
                            detail::show(folder) + " holds neither",
                            "a folder of pictures goes to --images"});
}

}  // namespace adadiff::cli
