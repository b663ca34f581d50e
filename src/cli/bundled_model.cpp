// Looks for bundled files beside the program and in the source tree.
#include "cli/bundled_model.h"

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "core/check.h"

namespace adadiff::cli {
namespace {

namespace fs = std::filesystem;

// PREFIX/bin/adadiff -> PREFIX/share/adadiff/models; empty where the system does not tell.
fs::path installed_models() {
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  return program.empty() ? fs::path()
                         : program.parent_path().parent_path() / "share/adadiff/models";
}

std::string find_bundled(const std::string& name, const std::string& advice) {
  std::error_code ignored;
  for (const fs::path& folder : {installed_models(), fs::path(ADADIFF_BUNDLED_MODELS)}) {
    if (fs::is_regular_file(folder / name, ignored)) return (folder / name).string();
  }
  detail::raise<FileError>({"bundled " + name,
                            "be in " + detail::show(ADADIFF_BUNDLED_MODELS) + " or installed",
                            "is in neither", advice});
}

}  // namespace

std::string model_path(const std::string& given) {
  if (!given.empty()) return given;
  if (const char* named = std::getenv("ADADIFF_MODEL"); named != nullptr && *named != '\0')
    return named;
  return find_bundled("fashion-mnist.safetensors", "name a model file, or set ADADIFF_MODEL");
}

std::string features_path(const std::string& given) {
  if (!given.empty()) return given;
  return find_bundled("fashion-mnist-classifier.safetensors",
                      "name a classifier or TorchScript file with --features, or texture");
}

}  // namespace adadiff::cli
