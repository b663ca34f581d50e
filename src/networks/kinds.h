// The kinds of networks of this build. A family adds its line to the table in kinds.cpp.
#pragma once

#include <memory>

#include "io/json_reader.h"
#include "networks/description.h"

namespace adadiff::detail {

/// One function per family, in its folder: reads and checks the whole object. Throws the reader's
/// error type.
std::unique_ptr<NetworkDescription> describe_uvit(const JsonReader& json);
std::unique_ptr<NetworkDescription> describe_dit(const JsonReader& json);

/// What json["kind"] names. Throws the reader's error type for a kind that there is not.
std::unique_ptr<NetworkDescription> describe_network(const JsonReader& json);

}  // namespace adadiff::detail
