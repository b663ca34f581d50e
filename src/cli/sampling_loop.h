// Drives a run to its end while showing progress and watching for Ctrl-C.
#pragma once

#include <functional>
#include <string>

#include <adadiff/pipeline.h>

#include "cli/terminal/terminal_progress.h"

namespace adadiff::cli {

/// A finished run and its wall time in ms, from the start of its set-up to the images.
struct TimedResult {
  Result result;
  double wall_ms = 0;
};

/// Throws Interrupted after Ctrl-C. `note` stands behind the progress, e.g. "pair 3 of 7".
TimedResult run_to_end(const Pipeline& pipeline, Request request, TerminalProgress& progress,
                       const std::string& note = {});

/// Is told after each step which share of the run is done, in [0, 1].
using ShareObserver = std::function<void(double share)>;
/// The same for a run that is a part of longer work, whose progress the observer shows.
TimedResult run_to_end(const Pipeline& pipeline, Request request, const ShareObserver& observer);

}  // namespace adadiff::cli
