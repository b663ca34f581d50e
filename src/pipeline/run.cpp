// Run: the caller's handle on one generation in progress.
#include <utility>

#include <c10/util/Exception.h>

#include "core/check.h"
#include "pipeline/images.h"
#include "pipeline/run_impl.h"
#include "pipeline/torch_errors.h"
#include "sampling/batch_state.h"

namespace adadiff {
namespace {

template <class Impl>
Impl& not_moved(const std::shared_ptr<Impl>& impl, const char* call) {
  if (!impl) detail::raise({call, "be called on a run", "this one was moved elsewhere"});
  return *impl;
}

template <class Impl>
Impl& not_finished(const std::shared_ptr<Impl>& impl, const char* call, const char* must) {
  Impl& found = not_moved(impl, call);
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

Run::Run(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Run::Run(Run&&) noexcept = default;

Run& Run::operator=(Run&& other) noexcept {
  if (this == &other) return *this;
  const std::shared_ptr<Impl> replaced = std::exchange(impl_, std::move(other.impl_));
  if (replaced) replaced->run.cancel();
  return *this;
}

Run::~Run() {
  if (impl_) impl_->run.cancel();
}

Status Run::advance(std::chrono::nanoseconds budget) {
  const std::shared_ptr<Impl>
      kept = impl_;  // nothing of this object is used once the observer may have dropped it
  detail::SampleRun& run = not_moved(kept, "Run.advance").run;
  refuse_within_advance(run, "Run.advance");
  try {
    return run.advance(budget);
  } catch (const c10::Error& error) {
    detail::raise_torch_error(error, "Run.advance", detail::batch_bytes(run.job()));
  }
}

Status Run::status() const { return not_moved(impl_, "Run.status").run.status(); }

Images Run::preview(std::int64_t index) const {
  const detail::SampleRun& run = not_finished(impl_, "Run.preview", "be called before finish").run;
  const detail::SampleJob& job = run.job();
  detail::require_range("Run.preview.index", index, std::int64_t{0}, job.count - 1);
  std::vector<float> values(static_cast<std::size_t>(job.image_values()));
  run.preview(index, values.data());
  return detail::to_images(std::move(values), job);
}

Result Run::finish() {
  Impl& impl = not_finished(impl_, "Run.finish", "be called once");
  refuse_within_advance(impl.run, "Run.finish");
  impl.has_given_result = true;
  Result result;
  result.images = detail::to_images(impl.run.take_images(), impl.run.job());
  result.status = impl.run.status();
  result.trace = impl.run.take_trace();
  result.wall_ms = impl.run.wall_ms();
  return result;
}

}  // namespace adadiff
