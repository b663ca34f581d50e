// Finds the class that is meant by a name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace adadiff::detail {

/// The position of class `name` in `known`. The name of a folder cannot contain a slash, so _ and /
/// count as the same.
std::optional<std::int64_t> find_class(const std::vector<std::string>& known,
                                       const std::string& name);

}  // namespace adadiff::detail
