// Checks of what a network says of itself.
#pragma once

#include <adadiff/network.h>

namespace adadiff::detail {

/// The most blocks that a network may have.
inline constexpr int kMostNetworkBlocks = 255;

/// Throws InvalidArgument, naming the field, unless sizes are in range and lists have one entry per
/// block.
void check_info(const NetworkInfo& info);

}  // namespace adadiff::detail
