// Run: the caller's handle on one generation in progress.
#include <adadiff/pipeline.h>

#include <utility>

#include <c10/util/Exception.h>

#include "core/check.h"
#include "pipeline/images.h"
#include "pipeline/run_errors.h"
#include "pipeline/run_state.h"
#include "sampling/state_backend.h"

namespace adadiff {
namespace {

detail::RunState& not_moved(const std::shared_ptr<detail::RunState>& state, const char* call) {
  if (!state) detail::raise({call, "be called on a run", "this one was moved elsewhere"});
  return *state;
}

detail::RunState& not_finished(const std::shared_ptr<detail::RunState>& state, const char* call,
                               const char* must) {
  detail::RunState& found = not_moved(state, call);
  if (found.has_given_result) detail::raise({call, must, "the result was taken out before"});
  return found;
}

/// An observer, a policy or a network that reaches the run it is called by must not change it under
/// the loop.
void refuse_within_advance(const detail::SampleRun& run, const char* call) {
  if (!run.is_advancing()) return;
  detail::raise({call, "be called between two calls of advance",
                 "an advance of the same run is in progress",
                 "return false from the observer to stop the run"});
}

}  // namespace

Run::Run(std::shared_ptr<detail::RunState> state) : state_(std::move(state)) {}
Run::Run(Run&&) noexcept = default;

Run& Run::operator=(Run&& other) noexcept {
  if (this == &other) return *this;
  const std::shared_ptr<detail::RunState> replaced = std::exchange(state_, std::move(other.state_));
  if (replaced) replaced->run.cancel();
  return *this;
}

Run::~Run() {
  if (state_) state_->run.cancel();
}

Status Run::advance(std::chrono::nanoseconds budget) {
  // Nothing of this object is used once the observer may have dropped it.
  const std::shared_ptr<detail::RunState> kept = state_;
  detail::SampleRun& run = not_moved(kept, "Run.advance").run;
  refuse_within_advance(run, "Run.advance");
  try {
    return run.advance(budget);
  } catch (const c10::Error& error) {
    detail::raise_run_error(error, "Run.advance", detail::batch_bytes(run.job()));
  }
}

Status Run::status() const { return not_moved(state_, "Run.status").run.status(); }

Images Run::preview(std::int64_t index) const {
  const detail::SampleRun& run = not_finished(state_, "Run.preview", "be called before finish").run;
  const detail::SampleJob& job = run.job();
  detail::require_range("Run.preview.index", index, std::int64_t{0}, job.count - 1);
  std::vector<float> values(static_cast<std::size_t>(job.image_values()));
  run.preview(index, values.data());
  return detail::to_images(std::move(values), job);
}

Result Run::finish() {
  detail::RunState& state = not_finished(state_, "Run.finish", "be called once");
  refuse_within_advance(state.run, "Run.finish");
  state.has_given_result = true;
  Result result;
  result.images = detail::to_images(state.run.take_images(), state.run.job());
  result.status = state.run.status();
  result.trace = state.run.take_trace();
  result.wall_ms = state.run.wall_ms();
  return result;
}

}  // namespace adadiff
