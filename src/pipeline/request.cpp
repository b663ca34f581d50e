// Chooses plan, solver, labels and start of a run, and joins them into a job.
#include "pipeline/request.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/check.h"
#include "plans/plan_checks.h"
#include "sampling/state_backend.h"
#include "sampling/trace_recorder.h"

namespace adadiff::detail {
namespace {

constexpr std::int64_t kUsualBatch = 64;

// A file of a few kilobytes may describe images of 2^30 values. A batch of 64 images of 3 x 1024 x
// 1024 with guidance by label stays below with every solver; a guide adds what its exits predicted.
constexpr std::int64_t kMostBatchBytes = std::int64_t{8} << 30;
// Images and the trace stay until the result is taken; more than any one machine holds is a slip.
constexpr std::int64_t kMostResultBytes = std::int64_t{64} << 30;

std::vector<std::int64_t> choose_labels(const Request& request, const NetworkInfo& info) {
  if (info.classes == 0 || !request.labels.empty()) return request.labels;
  if (info.null_label >= 0) return {info.null_label};
  std::vector<std::int64_t> labels(static_cast<std::size_t>(std::min(info.classes, request.count)));
  std::iota(labels.begin(), labels.end(), std::int64_t{0});
  return labels;
}

/// Where no sample has a label of its own, both branches would be the same, and one of them is
/// enough.
double choose_guidance(const Request& request, const SamplerModel& model, const NetworkInfo& info,
                       const std::vector<std::int64_t>& labels) {
  const auto says_nothing = [&info](std::int64_t label) { return label == info.null_label; };
  if (info.null_label < 0 || std::all_of(labels.begin(), labels.end(), says_nothing)) return 1;
  return request.guidance.value_or(model.default_guidance);
}

/// Adds one condition as the last entry.
void add_condition(const Condition& condition, const ConditionInfo& info, Conditions& all) {
  all.tokens.insert(all.tokens.end(), condition.tokens.begin(), condition.tokens.end());
  all.pooled.insert(all.pooled.end(), condition.pooled.begin(), condition.pooled.end());
  if (condition.mask.empty()) {
    all.mask.resize(all.mask.size() + static_cast<std::size_t>(info.tokens), 1);
  } else {
    all.mask.insert(all.mask.end(), condition.mask.begin(), condition.mask.end());
  }
}

/// The weight of guidance where the conditions are no labels: without a "none" there is none.
double choose_guidance(const Request& request, const SamplerModel& model) {
  return request.no_condition ? request.guidance.value_or(model.default_guidance) : 1;
}

void set_conditions(const Request& request, const PipelineState& pipeline, SampleJob& job) {
  const NetworkInfo& info = pipeline.network->info();
  const bool has_labels_only = info.condition.is_empty();
  Conditions& conditions = job.conditions;
  conditions.labels = choose_labels(request, info);
  for (const Condition& condition : request.conditions)
    add_condition(condition, info.condition, conditions);
  conditions.named = has_labels_only ? std::ssize(conditions.labels)
                                     : std::ssize(request.conditions);
  job.guidance = has_labels_only ? choose_guidance(request, pipeline.model, info, conditions.labels)
                                 : choose_guidance(request, pipeline.model);
  const std::int64_t guided = pipeline.model.guided_channels;
  job.guided_channels = guided == 0 ? info.channels : guided;
  if (job.branches() == 1) return;
  conditions.none = conditions.named;
  if (info.classes > 0) conditions.labels.push_back(info.null_label);
  if (!has_labels_only) add_condition(*request.no_condition, info.condition, conditions);
}

void set_start(const Request& request, const NoiseSchedule& schedule, SampleJob& job) {
  job.initial_noise = request.initial_noise;
  job.start_image = request.start_image;
  const double time = job.plan.evaluations.front().update.time;
  const bool has_image = !job.start_image.empty();
  job.start_alpha = has_image ? schedule.alpha(time) : 0;
  job.start_sigma = has_image ? schedule.sigma(time) : schedule.start_deviation(time);
}

/// All factors are checked by now and their products fit: at most 10^6 images of 2^30 values, at
/// most 20000 evaluations.
void check_size(const SampleJob& job) {
  const auto check = [&job](const char* field, std::int64_t bytes, std::int64_t most) {
    if (bytes <= most) return;
    const NetworkInfo& info = job.network->info();
    raise({field, "need at most " + show(most) + " bytes",
           "needs " + show(bytes) + " with count " + show(job.count) + ", batch " +
               show(job.batch) + " and images of " + show(info.channels) + " x " +
               show(info.height) + " x " + show(info.width),
           "ask for fewer"});
  };
  check("Request.batch", batch_bytes(job), kMostBatchBytes);
  check("Request.count", image_bytes(job) + trace_bytes(job), kMostResultBytes);
}

ExecutablePlan compile_request(const Request& request, const PipelineState& pipeline) {
  const PlannedRun run = choose_plan(request, pipeline.model);
  const auto table = write_table(run.solver, pipeline.facts, request.start_time);
  return (request.policy ? compile_for_policy : compile)(run.plan, run.solver, table,
                                                         pipeline.facts);
}

}  // namespace

PlannedRun choose_plan(const Request& request, const SamplerModel& model) {
  if (request.plan) {
    const SolverSettings& own = request.plan->solver ? *request.plan->solver : model.solver;
    return {*request.plan, request.solver.value_or(own)};
  }
  const Plan& plan = model.default_plan;
  const SolverSettings settings = request.solver.value_or(plan.solver.value_or(model.solver));
  const bool is_made_for_this = !plan.solver || agree(*plan.solver, settings);
  return {is_made_for_this ? plan : full_depth(), settings};
}

std::vector<Evaluation> write_table(const SolverSettings& settings, const ModelFacts& model,
                                    std::optional<double> start) {
  std::vector<double> times = settings.times;
  if (times.empty()) {
    times = time_grid(settings.grid, model.process, settings.steps, start.value_or(1),
                      settings.last);
  } else if (start && *start != times.front()) {
    raise({"Request.start_time",
           "be " + show(times.front()) + ", the first of the solver's own times",
           "is " + show(*start)});
  }
  const bool learns_variance = model.has_learned_variance && settings.solver == "ddpm" &&
                               settings.variance == Variance::Network;
  return find_solver(settings.solver)(
      {*model.process.schedule, times, settings.eta, settings.keep_noise, learns_variance});
}

SampleJob make_job(const Request& request, const PipelineState& pipeline) {
  check_request(request, pipeline);
  SampleJob job;
  job.network = pipeline.network;
  job.plan = compile_request(request, pipeline);
  job.policy = request.policy ? request.policy : threshold_policy(job.plan);
  job.count = request.count;
  job.batch = std::min(request.count, request.batch == 0 ? kUsualBatch : request.batch);
  job.seed = request.seed;
  job.threads = request.threads;
  set_conditions(request, pipeline, job);
  check_size(job);
  job.process = pipeline.model.process;
  set_start(request, *job.process.schedule, job);
  job.stop = request.stop;
  job.observer = request.observer;
  return job;
}

}  // namespace adadiff::detail
