// Runs one evaluation of the network over rows that leave at their own depth; decisions are made on the host, block by block.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include <adadiff/exit_policy.h>
#include <adadiff/network.h>

#include "exits/compile.h"

namespace adadiff::detail {

/// One row of an evaluation: which sample, which guidance branch (0 conditional or only, 1 unconditional), which evaluation of the plan.
struct EvaluationRow {
  std::int64_t sample = 0;
  int branch = 0;
  int evaluation = 0;
};

/// What became of a row.
struct RowOutcome {
  int exit = -1;           ///< blocks run
  float uncertainty = 0;   ///< at that exit; NaN where none was asked for
};

}  // namespace adadiff::detail
