// Which class is meant by a name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace adadiff::detail {

/// Position of a class among the `known` ones. Folders' names cannot have a slash, so _ and / are
/// the same.
std::optional<std::int64_t> find_class(const std::vector<std::string>& known,
                                       const std::string& name);

}  // namespace adadiff::detail
