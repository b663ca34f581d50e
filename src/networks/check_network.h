// What a network must give, for those who train it.
#pragma once

#include <cstdint>
#include <vector>

#include <adadiff/trainable_network.h>

namespace adadiff::detail {

/// Throws ModelError, naming the output, unless there is one per block, of the shapes that
/// BlockOutput promises for so many rows. Does not look at values.
void check_outputs(const NetworkInfo& info, const std::vector<BlockOutput>& outputs,
                   std::int64_t rows);

}  // namespace adadiff::detail
