// Spreads rows over torch's intra-op threads.
#pragma once

#include <cstdint>
#include <functional>

namespace adadiff::detail {

/// Calls work(first, last) for ranges that make up [0, rows), side by side on as many threads as
/// torch is set to use; within a parallel region, and where torch brings no OpenMP library, once on
/// the calling thread. What work throws comes out.
void parallel_rows(std::int64_t rows,
                   const std::function<void(std::int64_t first, std::int64_t last)>& work);

}  // namespace adadiff::detail
