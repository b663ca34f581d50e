// What the passes of all families refuse.
#pragma once

#include <cstdint>

#include <adadiff/network.h>

namespace adadiff::detail {

/// Raises InvalidArgument unless x, time and labels fit the network and the pass. Labels that are
/// not on a CPU are not looked at: that would wait for their device.
void check_pass_inputs(const PassInputs& inputs, const NetworkInfo& info, std::int64_t capacity);

/// How many blocks a pass has run; raises where it is asked out of turn.
class BlockCount {
 public:
  explicit BlockCount(std::int64_t blocks) : blocks_(blocks) {}
  void restart() { run_ = 0; }
  /// The block to run next, which then counts as run.
  std::int64_t next();
  /// The one that was run last; `call` needs it.
  std::int64_t last(const char* call) const;

 private:
  std::int64_t blocks_, run_ = 0;
};

}  // namespace adadiff::detail
