// Makes networks from the "network" object of a model file, and answers questions about such
// objects.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <adadiff/trainable_network.h>

#include "io/json_reader.h"

namespace adadiff::detail {

/// What is needed to make a network besides its own description.
struct NetworkRequest {
  /// Where passes may end, in [0, blocks - 1]; empty: 1 to blocks - 1.
  std::vector<int> exits = {};
  bool has_exits = true;         ///< false: passes end nowhere but after the last block
  std::int64_t null_label = -1;  ///< NetworkInfo::null_label
  /// A network with more parameters is refused before it is allocated.
  std::int64_t most_values = std::numeric_limits<std::int64_t>::max();
  /// Families that the caller brings; they are looked up before those of the library.
  std::span<const NetworkKind> kinds = {};
};

/// Makes the network that json["kind"] names, with weights of zero. Throws ModelError.
std::shared_ptr<TrainableNetwork> make_network(const JsonReader& json,
                                               const NetworkRequest& request);
/// The same description with a head per exit, and with the timed map where it has no UEMs.
std::string description_with_exits(const std::string& json);
/// The form of UEMs that the description states or has by default; "none" for a network without
/// UEMs, and nothing where no network of this build is described.
std::string uncertainty_of(const std::string& json);
/// The same description with UEMs of another form. Throws ModelError for an unknown form.
std::string description_with_uncertainty(const std::string& json, const std::string& form);
/// The description with the default of every field that it does not state. Returns the text
/// unchanged where it does not describe a network of this build.
std::string whole_description(const std::string& json);
/// The number of blocks that the described network has.
std::int64_t count_blocks(const JsonReader& json);

}  // namespace adadiff::detail
