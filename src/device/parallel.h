// Spreads rows over torch's intra-op threads.
#pragma once

#include <cstdint>
#include <functional>

namespace adadiff::detail {

/// Calls work(first, last) for ranges that together make up [0, rows), in parallel on as many
/// threads as torch is set to use. Within a parallel region, and where torch brings no OpenMP
/// library, it makes a single call on the calling thread. Rethrows what `work` throws.
void parallel_rows(std::int64_t rows,
                   const std::function<void(std::int64_t first, std::int64_t last)>& work);

/// Limits how many of torch's threads share the work of the calling thread, from construction to
/// destruction: at most `most`, or, for 0, as many as torch is set to use. Other threads and
/// torch's settings are not affected. It must end on the thread that it began on. It has no effect
/// where torch brings no OpenMP library.
class ThreadLimit {
 public:
  explicit ThreadLimit(int most);
  ~ThreadLimit();
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;

 private:
  [[maybe_unused]] int before_ = 0;  ///< 0: nothing was changed
};

}  // namespace adadiff::detail
