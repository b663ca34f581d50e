// Compares names in the form that they take as names of folders.
#include "training/class_names.h"

#include <algorithm>

namespace adadiff::detail {
namespace {

std::string as_folder(std::string name) {
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}

}  // namespace

std::optional<std::int64_t> find_class(const std::vector<std::string>& known,
                                       const std::string& name) {
  const auto found = std::find_if(
      known.begin(), known.end(),
      [wanted = as_folder(name)](const auto& k) { return as_folder(k) == wanted; });
  if (found == known.end()) return std::nullopt;
  return found - known.begin();
}

}  // namespace adadiff::detail
