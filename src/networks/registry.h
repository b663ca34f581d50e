// From the "network" object of a model file to a network. The one place that knows every kind there is.
#pragma once

#include <memory>

#include "io/json_reader.h"
#include "networks/trainable.h"

namespace adadiff::detail {

/// Makes the network that json["kind"] names, weights zero. `exits` lists where passes may end, in [0, blocks - 1]; empty: 1 to blocks - 1.
/// Throws ModelError.
std::shared_ptr<TrainableNetwork> make_network(const JsonReader& json, const std::vector<int>& exits, std::int64_t null_label);

}  // namespace adadiff::detail
