// Drives a run to its end while showing progress and watching for Ctrl-C.
#pragma once

#include <string>

#include <adadiff/pipeline.h>
#include <adadiff/tuning.h>

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

/// Shows the steps of the run in progress of a comparison or a search, and stops it after Ctrl-C.
TuningObserver show_steps(TerminalProgress& progress);
/// Shows the trials of a search instead, which may need fewer than it is allowed.
TuningObserver show_trials(TerminalProgress& progress);
/// Throws Interrupted where a comparison or a search was stopped.
void require_completed(Status status);

}  // namespace adadiff::cli
