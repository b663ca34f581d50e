// The checks that the passes of all families make.
#pragma once

#include <cstdint>

#include <adadiff/network.h>

namespace adadiff::detail {

/// Raises InvalidArgument unless the network can make such a pass.
void check_pass_options(const PassOptions& options, const NetworkInfo& info);

/// Raises InvalidArgument unless x, time and labels fit the network and the pass. Numbers that are
/// not on a CPU are not looked at, since that would wait for their device.
void check_pass_inputs(const PassInputs& inputs, const NetworkInfo& info, std::int64_t capacity);

/// Counts the blocks that a pass has run, and raises where calls come out of turn.
class BlockCount {
 public:
  explicit BlockCount(std::int64_t blocks) : blocks_(blocks) {}
  void restart() { run_ = 0; }
  /// Returns the block to run next, and counts it as run.
  std::int64_t next();
  /// Returns the block that was run last. Raises where none has been run; the error names `call`.
  std::int64_t last(const char* call) const;

 private:
  std::int64_t blocks_, run_ = 0;
};

}  // namespace adadiff::detail
