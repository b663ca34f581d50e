// Run: the caller's handle on one generation in progress.
#include <utility>

#include "core/check.h"
#include "pipeline/images.h"
#include "pipeline/run_impl.h"

namespace adadiff {

Run::Run(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Run::Run(Run&&) noexcept = default;
Run& Run::operator=(Run&&) noexcept = default;
Run::~Run() = default;

Status Run::advance(std::chrono::nanoseconds budget) { return impl_->run.advance(budget); }

Status Run::status() const { return impl_->run.status(); }

Images Run::preview(std::int64_t index) const {
  const detail::SampleJob& job = impl_->run.job();
  detail::require_range("Run.preview.index", index, std::int64_t{0}, job.count - 1);
  std::vector<float> values(static_cast<std::size_t>(job.image_values()));
  impl_->run.preview(index, values.data());
  return detail::to_images(std::move(values), job);
}

Result Run::finish() {
  Result result;
  result.images = detail::to_images(impl_->run.take_images(), impl_->run.job());
  result.status = impl_->run.status();
  result.trace = impl_->run.take_trace();
  result.wall_ms = impl_->run.wall_ms();
  return result;
}

}  // namespace adadiff
