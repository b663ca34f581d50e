// Drives a run to its end while showing progress and watching for Ctrl-C.
#include "cli/sampling_loop.h"

#include <stop_token>
#include <utility>

#include "cli/terminal/failure.h"
#include "cli/terminal/interrupt.h"

namespace adadiff::cli {
namespace {

constexpr std::chrono::milliseconds kSlice{50};  // how long Ctrl-C may wait for an answer

TimedResult run_observed(const Pipeline& pipeline, Request request,
                         std::function<bool(const Progress&)> observer) {
  std::stop_source stop;
  request.stop = stop.get_token();
  request.observer = std::move(observer);
  const auto start = std::chrono::steady_clock::now();
  Run run = pipeline.start(request);
  while (run.advance(kSlice) == Status::Working) {
    if (interrupted()) stop.request_stop();
  }
  if (run.status() == Status::Cancelled) throw Interrupted("interrupted; nothing was written");
  TimedResult timed{run.finish(), 0};
  timed.wall_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() -
                                                            start)
                      .count();
  return timed;
}

}  // namespace

TimedResult run_to_end(const Pipeline& pipeline, Request request, TerminalProgress& progress,
                       const std::string& note) {
  return run_observed(pipeline, std::move(request), [&](const Progress& p) {
    const auto steps = static_cast<double>(p.steps);
    progress.update(static_cast<double>(p.batch) * steps + p.step,
                    static_cast<double>(p.batches) * steps, {.extra = note});
    return true;
  });
}

TimedResult run_to_end(const Pipeline& pipeline, Request request, const ShareObserver& observer) {
  return run_observed(pipeline, std::move(request), [&](const Progress& p) {
    observer((static_cast<double>(p.batch) + static_cast<double>(p.step) / p.steps) /
             static_cast<double>(p.batches));
    return true;
  });
}

}  // namespace adadiff::cli
