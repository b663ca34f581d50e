// Drives a run to its end while showing progress and watching for Ctrl-C.
#include "cli/sampling_loop.h"

#include <chrono>
#include <stop_token>

#include "cli/terminal/failure.h"
#include "cli/terminal/interrupt.h"

namespace adadiff::cli {
namespace {

constexpr std::chrono::milliseconds kSlice{50};  // how long Ctrl-C may wait for an answer

void show(TerminalProgress& progress, const Progress& run, const std::string& note) {
  if (run.steps == 0) return;  // before the first step nobody knows how many there are
  const auto steps = static_cast<double>(run.steps);
  progress.update(static_cast<double>(run.batch) * steps + run.step,
                  static_cast<double>(run.batches) * steps, {.extra = note});
}

}  // namespace

TimedResult run_to_end(const Pipeline& pipeline, Request request, TerminalProgress& progress,
                       const std::string& note) {
  std::stop_source stop;
  request.stop = stop.get_token();
  request.observer = [&](const Progress& run) {
    show(progress, run, note);
    return true;
  };
  const auto start = std::chrono::steady_clock::now();
  Run run = pipeline.start(request);
  while (run.advance(kSlice) == Status::Working) {
    if (interrupted()) stop.request_stop();
  }
  require_completed(run.status());
  TimedResult timed{run.finish(), 0};
  timed.wall_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() -
                                                            start)
                      .count();
  return timed;
}

TuningObserver show_steps(TerminalProgress& progress) {
  return [&progress](const TuningProgress& work) {
    show(progress, work.run, work.note);
    return !interrupted();
  };
}

/// The time left is the most that it can be.
TuningObserver show_trials(TerminalProgress& progress) {
  return [&progress](const TuningProgress& work) {
    if (work.run.steps > 0)
      progress.update(work.done, work.total, {.extra = work.note, .ending = "left at most"});
    return !interrupted();
  };
}

void require_completed(Status status) {
  if (status == Status::Cancelled) throw Interrupted("interrupted; nothing was written");
}

}  // namespace adadiff::cli
