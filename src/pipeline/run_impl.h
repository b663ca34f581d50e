// What stands behind a Run.
#pragma once

#include <utility>

#include <adadiff/pipeline.h>

#include "sampling/sample_run.h"

namespace adadiff {

struct Run::Impl {
  explicit Impl(detail::SampleJob job) : run(std::move(job)) {}
  detail::SampleRun run;
  bool has_given_result = false;  ///< finish() was called
};

}  // namespace adadiff
