// What a Run holds.
#pragma once

#include <utility>

#include "sampling/sample_run.h"

namespace adadiff::detail {

struct RunState {
  explicit RunState(SampleJob job) : run(std::move(job)) {}
  SampleRun run;
  bool has_given_result = false;  ///< finish() was called
};

}  // namespace adadiff::detail
