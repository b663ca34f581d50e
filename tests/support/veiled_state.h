// A state back end whose numbers the host cannot read: they are kept scrambled, and every copy that
// leaves through the interface is counted.
#pragma once

#include <cstdint>

namespace adadiff::test {

/// Copies of images that runs of this process have read from veiled back ends so far.
std::int64_t veiled_reads();

}  // namespace adadiff::test
