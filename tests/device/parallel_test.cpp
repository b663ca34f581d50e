// Rows spread over torch's threads.
#include "device/parallel.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace adadiff::detail {
namespace {

TEST(ParallelRows, VisitsEachRowOnce) {
  at::set_num_threads(3);
  std::mutex mutex;
  std::multiset<std::int64_t> visited;
  parallel_rows(10, [&](std::int64_t first, std::int64_t last) {
    const std::lock_guard lock(mutex);
    for (std::int64_t row = first; row < last; ++row) visited.insert(row);
  });
  EXPECT_EQ(visited, (std::multiset<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(ParallelRows, CallsNothingForNoRows) {
  bool called = false;
  parallel_rows(0, [&](std::int64_t, std::int64_t) { called = true; });
  EXPECT_FALSE(called);
}

TEST(ParallelRows, HandsOnWhatTheWorkThrows) {
  at::set_num_threads(2);
  EXPECT_THROW(
      parallel_rows(8, [](std::int64_t, std::int64_t) { throw std::runtime_error("cannot"); }),
      std::runtime_error);
}

TEST(ParallelRows, UsesAsManyThreadsAsTorchIsSetTo) {
#if defined(ADADIFF_SHARES_THREADS)
  at::set_num_threads(2);
  std::mutex mutex;
  std::set<std::thread::id> threads;
  parallel_rows(8, [&](std::int64_t, std::int64_t) {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(threads.size(), 2u);
#else
  GTEST_SKIP() << "needs GCC and LibTorch with its own libgomp";
#endif
}

}  // namespace
}  // namespace adadiff::detail
