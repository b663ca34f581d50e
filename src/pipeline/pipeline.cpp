// Pipeline: a model file behind the front door.
#include <adadiff/pipeline.h>

#include <new>
#include <utility>

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include "core/check.h"
#include "models/model_file.h"
#include "networks/registry.h"
#include "pipeline/pipeline_impl.h"
#include "pipeline/request.h"
#include "pipeline/run_impl.h"
#include "pipeline/torch_errors.h"
#include "sampling/batch_state.h"

namespace adadiff {
namespace {

using namespace std::chrono_literals;

std::int64_t count_parameters(detail::TrainableNetwork& network) {
  std::int64_t count = 0;
  network.visit([&count](const std::string&, at::Tensor& tensor) { count += tensor.numel(); });
  return count;
}

detail::Model read_model(const std::string& path) {
  try {
    return detail::read_model(path);
  } catch (const c10::Error& error) {
    detail::raise_torch_error(error, path);
  }
}

std::unique_ptr<Run::Impl> make_run(detail::SampleJob job) {
  const std::int64_t batch_bytes = detail::batch_bytes(job);
  const std::int64_t image_bytes = detail::image_bytes(job);
  try {
    return std::make_unique<Run::Impl>(std::move(job));
  } catch (const c10::Error& error) {
    detail::raise_torch_error(error, "Pipeline.start", batch_bytes);
  } catch (const std::bad_alloc&) {
    detail::raise({"Request.count", "fit into memory",
                   "needs " + detail::show(image_bytes) + " bytes for its images alone"});
  }
}

}  // namespace

std::shared_ptr<Pipeline::Impl> detail::open_pipeline_impl(const std::string& path) {
  Model model = adadiff::read_model(path);
  const std::int64_t parameters = count_parameters(*model.network);
  const std::string uncertainty = uncertainty_of(model.network->config_json());
  std::shared_ptr<Pipeline::Impl> impl;
  try {
    impl = make_pipeline_impl(model.network, std::move(model.sampler));
  } catch (const InvalidArgument& error) {
    throw ModelError(path + ": " + error.what());
  }
  impl->summary.parameters = parameters;
  impl->summary.uncertainty = uncertainty;
  impl->summary.class_names = std::move(model.class_names);
  impl->summary.training = std::move(model.training);
  impl->summary.license = std::move(model.license);
  impl->summary.origin = std::move(model.origin);
  return impl;
}

Pipeline::Pipeline(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

Pipeline Pipeline::open(const std::string& path) {
  return Pipeline(detail::open_pipeline_impl(path));
}

const ModelSummary& Pipeline::model() const { return impl_->summary; }

Run Pipeline::start(const Request& request) const {
  return Run(make_run(detail::make_job(request, *impl_)));
}

Result Pipeline::generate(const Request& request) const {
  Run run = start(request);
  while (run.advance(std::chrono::nanoseconds::max()) == Status::Working) {
  }
  return run.finish();
}

}  // namespace adadiff
