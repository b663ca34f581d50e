// The JSON description in a model file's metadata, and what it says (docs/model_format.md).
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "models/model_file.h"

namespace adadiff::detail {

inline constexpr std::size_t kMostText = 65536;     ///< bytes of a licence or an origin
inline constexpr std::size_t kMostClassName = 200;  ///< bytes of one class name

/// Reads a description and makes its network, whose weights are still zero. Errors name `source`; a
/// network of more than `most_values` numbers is refused before it is allocated. Throws ModelError.
Model parse_description(std::string_view json, const std::string& source,
                        std::int64_t most_values = std::numeric_limits<std::int64_t>::max(),
                        std::span<const NetworkKind> kinds = {});
/// The description that parse_description reads back, with the model id.
std::string to_json(const Model& model);
/// The part of the description that the model id covers: the network and what its numbers mean,
/// without plan, solver, names and licence.
std::string identity_json(const Model& model);

}  // namespace adadiff::detail
