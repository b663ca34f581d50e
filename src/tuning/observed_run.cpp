// Advances runs in slices, so that an observer is asked within long steps too.
#include "tuning/observed_run.h"

#include <chrono>
#include <utility>

namespace adadiff::detail {

Result run_observed(const Pipeline& pipeline, Request request, const RunObserver& observer) {
  constexpr std::chrono::milliseconds kSlice{50};
  Progress latest;
  bool goes_on = true;  // a run may end all the same if it is stopped after its last step
  request.observer = [&, own = std::move(request.observer)](const Progress& progress) {
    latest = progress;
    goes_on = (!own || own(progress)) && observer(progress);
    return goes_on;
  };
  Run run = pipeline.start(request);
  while (run.advance(kSlice) == Status::Working) {
    if (!observer(latest)) throw Stopped{};
  }
  if (!goes_on || run.status() == Status::Cancelled) throw Stopped{};
  return run.finish();
}

double share_done(const Progress& run) {
  if (run.steps == 0) return 0;
  const double batches = static_cast<double>(run.batch) + static_cast<double>(run.step) / run.steps;
  return batches / static_cast<double>(run.batches);
}

Runner counting_runner(const Pipeline& pipeline, const TuningObserver& observer, double total) {
  return [&pipeline, &observer, total, done = 0.0](const Request& request,
                                                   const std::string& note) mutable {
    Result result = run_observed(pipeline, request, [&](const Progress& run) {
      return !observer ||
             observer({.note = note, .run = run, .done = done + share_done(run), .total = total});
    });
    ++done;
    return result;
  };
}

}  // namespace adadiff::detail
