// From the "network" object of a model file to a network. The one place that knows every kind there
// is.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "io/json_reader.h"
#include "networks/trainable.h"

namespace adadiff::detail {

/// What a network is made with beside its own description.
struct NetworkRequest {
  /// Where passes may end, in [0, blocks - 1]; empty: 1 to blocks - 1.
  std::vector<int> exits = {};
  std::int64_t null_label = -1;  ///< NetworkInfo::null_label
  std::int64_t most_values = std::numeric_limits<
      std::int64_t>::max();  ///< a network with more parameters is refused before it is allocated
};

/// Makes the network that json["kind"] names, weights zero. Throws ModelError.
std::shared_ptr<TrainableNetwork> make_network(const JsonReader& json,
                                               const NetworkRequest& request);
/// The same description with a head per exit, and with the timed map where there are no UEMs.
std::string description_with_exits(const std::string& json);
/// The form of the UEMs that it says or leaves to its default; "none" without UEMs.
std::string uncertainty_of(const std::string& json);
/// The same description with UEMs of another form. Throws ModelError for a form that there is not.
std::string description_with_uncertainty(const std::string& json, const std::string& form);
/// A description with every field that it leaves to its default; the text itself where no network
/// of this build is described.
std::string whole_description(const std::string& json);
/// How many blocks it would have.
std::int64_t count_blocks(const JsonReader& json);

}  // namespace adadiff::detail
