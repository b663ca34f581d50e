// How messages show an array's shape.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace adadiff::cli {

/// "[16, 1, 28, 28]".
inline std::string show_shape(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t size : shape) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "[" + text + "]";
}

}  // namespace adadiff::cli
