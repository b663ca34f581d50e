// A pipeline around any network: checks of what it says of itself, and what follows from it.
#include <numeric>
#include <utility>

#include "core/check.h"
#include "diffusion/prediction.h"
#include "networks/info_checks.h"
#include "pipeline/pipeline_state.h"
#include "pipeline/request.h"
#include "plans/plan_checks.h"

namespace adadiff {
namespace detail {
namespace {

void check_model(const SamplerModel& model, const NetworkInfo& info) {
  check_process(model.process, "SamplerModel.process.");
  check_solver_settings(model.solver, "SamplerModel.solver.");
  require_range("SamplerModel.default_guidance", model.default_guidance, 0.0, 100.0);
  require_range("SamplerModel.guided_channels", model.guided_channels, std::int64_t{0},
                info.channels);
  if (model.default_guidance != 1 && info.null_label < 0 && info.condition.is_empty()) {
    raise({"SamplerModel.default_guidance", "be 1 with a network that has no \"no label\" class",
           "is " + show(model.default_guidance)});
  }
}

ModelFacts facts_of(const NetworkInfo& info, const SamplerModel& model) {
  ModelFacts facts;
  facts.blocks = info.blocks;
  facts.can_exit = info.can_exit;
  facts.has_uncertainty = info.has_uncertainty;
  facts.has_learned_variance = info.has_learned_variance;
  facts.skippable = info.skippable;
  facts.precisions = info.precisions;
  facts.process = model.process;
  facts.id = model.id;
  return facts;
}

ModelSummary summarise(const NetworkInfo& info, const SamplerModel& model) {
  ModelSummary summary;
  summary.id = model.id;
  summary.network = info.kind;
  summary.prediction = name_of(kPredictions, model.process.prediction);
  summary.schedule = model.process.schedule->name();
  summary.uncertainty = info.has_uncertainty ? "own" : "none";
  summary.blocks = info.blocks;
  summary.channels = info.channels;
  summary.height = info.height;
  summary.width = info.width;
  summary.classes = info.classes - (info.null_label >= 0 ? 1 : 0);
  for (int k = 0; k < info.blocks; ++k) {
    if (info.can_exit[static_cast<std::size_t>(k)] != 0) summary.exits.push_back(k);
  }
  summary.default_plan = model.default_plan;
  summary.default_guidance = model.default_guidance;
  summary.default_solver = model.solver;
  summary.image_min = model.process.image_min;
  summary.image_max = model.process.image_max;
  summary.macs_full_depth = std::accumulate(info.cost.block.begin(), info.cost.block.end(),
                                            info.cost.embed) +
                            info.cost.head.back();
  return summary;
}

}  // namespace

std::shared_ptr<PipelineState> make_pipeline_state(std::shared_ptr<const Network> network,
                                                   SamplerModel model) {
  if (!network) raise({"make_pipeline.network", "be set", "is null"});
  check_info(network->info());
  check_model(model, network->info());
  auto state = std::make_shared<PipelineState>();
  state->facts = facts_of(network->info(), model);
  state->summary = summarise(network->info(), model);
  state->network = std::move(network);
  state->model = std::move(model);
  // A default plan that does not fit is an error of the model, not of the first request.
  const PlannedRun usual = choose_plan({}, state->model);
  compile(usual.plan, usual.solver, write_table(usual.solver, state->facts), state->facts);
  return state;
}

}  // namespace detail

Pipeline make_pipeline(std::shared_ptr<const Network> network, SamplerModel model) {
  return detail::Access::pipeline(
      detail::make_pipeline_state(std::move(network), std::move(model)));
}

}  // namespace adadiff
