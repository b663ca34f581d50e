// Runs the model under a network that writes down what it is asked and what it answers.
#include "training/own_runs.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <adadiff/pipeline.h>

#include "core/check.h"
#include "io/npy.h"

namespace adadiff::detail {
namespace {

constexpr std::int64_t kRunsPerPool = 4, kMostSamples = 16;
constexpr std::int64_t kFewestSteps = 4, kManySteps = 50;  // of a run whose steps are drawn
constexpr std::int64_t kMeanSteps = 18;                    // of such runs, in the mean
constexpr std::int64_t kUses = 4;                          // of each state, about
constexpr double kPoolBytes = 512e6;

using States = std::vector<Batch>;

/// Passes on every call, and keeps the inputs and the predictions of full depth.
class RecordingPass final : public ForwardPass {
 public:
  RecordingPass(std::unique_ptr<ForwardPass> pass, const NetworkInfo& info, States& states)
      : pass_(std::move(pass)), info_(info), states_(states) {}

  void begin(const PassInputs& inputs) override {
    const std::int64_t rows = inputs.live < 0 ? inputs.x.size(0) : inputs.live;
    asked_ = {inputs.x.narrow(0, 0, rows).clone(), {}, inputs.time.narrow(0, 0, rows).clone(), {}};
    const auto of_rows = [&](const at::Tensor* table) {
      return table == nullptr ? at::Tensor()
                              : table->index_select(0, inputs.entries.narrow(0, 0, rows));
    };
    asked_.labels = of_rows(inputs.conditions.labels);
    asked_.pooled = of_rows(inputs.conditions.pooled);
    blocks_run_ = 0;
    pass_->begin(inputs);
  }
  void run_block(std::uint8_t skip) override {
    ++blocks_run_;
    pass_->run_block(skip);
  }
  void score(const ScoreSink& sink) const override { pass_->score(sink); }
  void predict(const at::Tensor& rows, const at::Tensor& slots,
               const at::Tensor& out) const override {
    pass_->predict(rows, slots, out);
    if (blocks_run_ < info_.blocks) return;
    const auto chosen = [&](const at::Tensor& all) {
      return all.defined() ? all.index_select(0, rows) : all;
    };
    states_.push_back({chosen(asked_.x), out.index_select(0, slots).narrow(1, 0, info_.channels),
                       chosen(asked_.time), chosen(asked_.labels), chosen(asked_.pooled)});
  }
  void keep(const at::Tensor& rows, std::int64_t live) override { pass_->keep(rows, live); }

 private:
  std::unique_ptr<ForwardPass> pass_;
  const NetworkInfo& info_;
  States& states_;
  Batch asked_;
  int blocks_run_ = 0;
};

class RecordingNetwork final : public Network {
 public:
  RecordingNetwork(std::shared_ptr<const Network> network, States& states)
      : network_(std::move(network)), states_(states) {}
  const NetworkInfo& info() const override { return network_->info(); }
  std::unique_ptr<ForwardPass> new_pass(const PassOptions& options) const override {
    return std::make_unique<RecordingPass>(network_->new_pass(options), network_->info(), states_);
  }
  std::int64_t padded_rows(std::int64_t rows) const override { return network_->padded_rows(rows); }

 private:
  std::shared_ptr<const Network> network_;
  States& states_;
};

/// Joins one member of all states; undefined where the first has none. The copy can be trained on,
/// which tensors of inference mode cannot.
at::Tensor joined(const States& states, at::Tensor Batch::*member) {
  if (!(states.front().*member).defined()) return {};
  std::vector<at::Tensor> parts;
  parts.reserve(states.size());
  for (const Batch& state : states) parts.push_back(state.*member);
  return at::cat(parts).to(at::kCPU);
}

std::int64_t below(double share, std::int64_t count) {
  return std::min(static_cast<std::int64_t>(share * static_cast<double>(count)), count - 1);
}

}  // namespace

OwnRuns::OwnRuns(std::shared_ptr<TrainableNetwork> network, const SamplerModel& model,
                 const TrainingOptions& options, at::Tensor conditions)
    : network_(std::move(network)),
      model_(model),
      options_(options),
      conditions_(std::move(conditions)) {
  const NetworkInfo& info = network_->info();
  if (info.condition.tokens > 0) {
    raise({"TrainingOptions.images", "be given for a network that takes tokens as conditions",
           "is " + show(std::string(kNoImages))});
  }
  const auto values = static_cast<double>(info.channels * info.height * info.width);
  const double per_sample = values * sizeof(float) * 2 * 2 * kManySteps * kRunsPerPool;
  samples_ = std::clamp(static_cast<std::int64_t>(kPoolBytes / per_sample), std::int64_t{1},
                        kMostSamples);
  const bool has_one_step = options_.run_steps == 1 ||
                            (options_.run_steps == 0 && model_.solver.steps == 1);
  const std::int64_t states = kRunsPerPool * samples_ * (has_one_step ? 1 : kMeanSteps);
  steps_per_pool_ = std::max<std::int64_t>(1, kUses * states / options_.batch);
}

const Batch& OwnRuns::at_step(std::int64_t step) {
  const std::int64_t pool = step / steps_per_pool_;
  if (pool != pool_number_) fill_pool(pool);
  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0; row < options_.batch; ++row)
    rows.push_back(order_->index(step % steps_per_pool_, options_.batch, row));
  const at::Tensor index = at::tensor(rows, at::kLong);
  const auto chosen = [&](const at::Tensor& all) {
    return all.defined() ? all.index_select(0, index) : all;
  };
  batch_ = {chosen(pool_.x), chosen(pool_.truth), chosen(pool_.time), chosen(pool_.labels),
            chosen(pool_.pooled)};
  return batch_;
}

void OwnRuns::fill_pool(std::int64_t pool) {
  states_.clear();
  for (std::int64_t run = 0; run < kRunsPerPool; ++run) add_run(pool * kRunsPerPool + run);
  const at::NoGradGuard no_gradient;
  pool_ = {joined(states_, &Batch::x), joined(states_, &Batch::truth),
           joined(states_, &Batch::time), joined(states_, &Batch::labels),
           joined(states_, &Batch::pooled)};
  states_.clear();
  order_ = std::make_unique<DataOrder>(options_.seed + static_cast<std::uint64_t>(pool) + 1,
                                       pool_.x.size(0));
  pool_number_ = pool;
}

void OwnRuns::add_run(std::int64_t run) {
  const NetworkInfo& info = network_->info();
  Request request{.count = samples_, .plan = full_depth()};
  constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15U;  // seeds of runs far from each other
  request.seed = options_.seed + kSpread * static_cast<std::uint64_t>(run + 1);
  for (std::int64_t sample = 0; sample < samples_; ++sample) {
    const double drawn = draw_for_run(options_, run, 2 + sample);
    if (info.classes > 0) request.labels.push_back(below(drawn, info.classes));
    if (!conditions_.defined()) continue;
    const at::Tensor row = conditions_[below(drawn, conditions_.size(0))].contiguous();
    const float* values = row.const_data_ptr<float>();
    request.conditions.push_back({.pooled = {values, values + row.numel()}});
  }
  SolverSettings solver = model_.solver;
  if (options_.run_steps > 0) {
    solver.steps = static_cast<int>(options_.run_steps);
  } else if (solver.steps > 1) {
    const double ratio = static_cast<double>(kManySteps) / kFewestSteps;
    solver.steps = static_cast<int>(
        std::lround(kFewestSteps * std::pow(ratio, draw_for_run(options_, run, 0))));
  }
  const bool may_change = options_.run_solver.empty() && solver.steps > 1;
  if (!options_.run_solver.empty() && options_.run_solver != solver.solver)
    solver = {.solver = options_.run_solver, .grid = "uniform", .steps = solver.steps};
  if (may_change && draw_for_run(options_, run, 1) < 0.5)
    solver = {.solver = "dpmpp-2m", .grid = "uniform", .steps = solver.steps};
  solver.times.clear();
  request.solver = solver;
  make_pipeline(std::make_shared<RecordingNetwork>(network_, states_), model_).generate(request);
}

at::Tensor read_conditions(const TrainingOptions& options, const NetworkInfo& info) {
  const std::int64_t width = info.condition.pooled_width;
  if (width == 0 && options.conditions.empty()) return {};
  if (width == 0) {
    raise({"TrainingOptions.conditions", "be left out for a network that takes no vector",
           "is " + show(options.conditions)});
  }
  if (options.conditions.empty()) {
    raise({"TrainingOptions.conditions",
           "name a .npy file of vectors [N, " + show(width) + "] for this network", "is empty"});
  }
  const auto array = read_npy_vectors(options.conditions, width);
  return at::tensor(array.values).view(array.shape);
}

}  // namespace adadiff::detail
