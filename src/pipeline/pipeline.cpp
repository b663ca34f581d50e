// Pipeline: a model file behind the front door.
#include <adadiff/pipeline.h>

#include <new>
#include <utility>

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include "core/check.h"
#include "device/device.h"
#include "device/parallel.h"
#include "models/model_file.h"
#include "networks/registry.h"
#include "pipeline/pipeline_state.h"
#include "pipeline/request.h"
#include "pipeline/run_errors.h"
#include "pipeline/run_state.h"
#include "sampling/state_backend.h"

namespace adadiff {
namespace {

using namespace std::chrono_literals;

std::int64_t count_parameters(TrainableNetwork& network) {
  std::int64_t count = 0;
  network.visit([&count](const std::string&, at::Tensor& tensor) { count += tensor.numel(); });
  return count;
}

detail::Model read_model(const std::string& path, const PipelineOptions& options) {
  try {
    detail::Model model = detail::read_model(path, options.kinds);
    // Loads torch's half for the device, or says why it does not.
    detail::find_device(to_string(options.device), "PipelineOptions.device");
    model.network->move_to(options.device);
    return model;
  } catch (const c10::Error& error) {
    detail::raise_load_error(error, path);
  }
}

std::shared_ptr<detail::RunState> make_run(detail::SampleJob job) {
  const std::int64_t batch_bytes = detail::batch_bytes(job);
  const std::int64_t image_bytes = detail::image_bytes(job);
  try {
    const detail::ThreadLimit limit(job.threads);
    return std::make_shared<detail::RunState>(std::move(job));
  } catch (const c10::Error& error) {
    detail::raise_run_error(error, "Pipeline.start", batch_bytes);
  } catch (const std::bad_alloc&) {
    detail::raise({"Request.count", "fit into memory",
                   "needs " + detail::show(image_bytes) + " bytes for its images alone"});
  }
}

}  // namespace

Pipeline::Pipeline(std::shared_ptr<const detail::PipelineState> state) : state_(std::move(state)) {}

Pipeline Pipeline::open(const std::string& path, const PipelineOptions& options) {
  detail::Model model = read_model(path, options);
  const std::string uncertainty = detail::uncertainty_of(model.network->config_json());
  const std::int64_t parameters = count_parameters(*model.network);
  std::shared_ptr<detail::PipelineState> state;
  try {
    state = detail::make_pipeline_state(model.network, std::move(model.sampler));
  } catch (const InvalidArgument& error) {
    throw ModelError(path + ": " + error.what());
  }
  state->summary.parameters = parameters;
  if (!uncertainty.empty()) state->summary.uncertainty = uncertainty;
  state->summary.class_names = std::move(model.class_names);
  state->summary.training = std::move(model.training);
  state->summary.license = std::move(model.license);
  state->summary.origin = std::move(model.origin);
  return Pipeline(std::move(state));
}

const ModelSummary& Pipeline::model() const { return state_->summary; }

Run Pipeline::start(const Request& request) const {
  return detail::Access::run(make_run(detail::make_job(request, *state_)));
}

Result Pipeline::generate(const Request& request) const {
  Run run = start(request);
  while (run.advance(std::chrono::nanoseconds::max()) == Status::Working) {
  }
  return run.finish();
}

}  // namespace adadiff
