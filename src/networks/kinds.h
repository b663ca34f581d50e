// The kinds of networks that this build has. A family adds its line to the table in kinds.cpp.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/json_reader.h"
#include "networks/description.h"

namespace adadiff::detail {

/// Each family has one such function in its folder, which reads and checks the whole object. Throws
/// the reader's error type.
std::unique_ptr<NetworkDescription> describe_uvit(const JsonReader& json);
std::unique_ptr<NetworkDescription> describe_dit(const JsonReader& json);
std::unique_ptr<NetworkDescription> describe_unet(const JsonReader& json);

/// The description of the network that json["kind"] names. Throws the reader's error type for an
/// unknown kind; the error also lists the kinds that the program `brought`.
std::unique_ptr<NetworkDescription> describe_network(const JsonReader& json,
                                                     const std::vector<std::string>& brought = {});

}  // namespace adadiff::detail
