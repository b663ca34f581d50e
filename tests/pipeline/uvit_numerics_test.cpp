// The promises of docs/numerics.md, kept by a real network whose matrix products round differently
// for each number of rows and threads.
#include <algorithm>
#include <array>
#include <cmath>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <adadiff/plan.h>

#include "execution/host_execution.h"
#include "networks/uvit/uvit.h"
#include "nn/layers.h"
#include "pipeline/pipeline_state.h"
#include "pipeline/request.h"

namespace adadiff::test {
namespace {

constexpr std::int64_t kLabels = 5;

/// 5 blocks over 17 tokens. Uncertainty modules are drawn too, since untrained ones say 1/2 for
/// every row.
std::shared_ptr<const detail::UViT> small_uvit() {
  detail::UViTConfig config;
  config.image_size = 16;
  config.width = 64;
  config.depth = 4;
  config.heads = 4;
  config.label_rows = kLabels;
  auto network = std::make_shared<detail::UViT>(
      config,
      NetworkSettings{std::vector<std::uint8_t>(static_cast<std::size_t>(config.blocks()), 1),
                      kLabels - 1});
  network->initialise(1);
  network->visit([](const std::string& name, at::Tensor& tensor) {
    if (name.starts_with("uem.")) detail::fill_normal_(tensor, 0.3, 2, name);
  });
  return network;
}

SamplerModel eight_steps() {
  SamplerModel model;
  model.process.prediction = Prediction::Velocity;
  model.solver.steps = 8;
  return model;
}

struct States {
  at::Tensor x, time, labels;
  std::int64_t count() const { return x.size(0); }
  States rows(std::int64_t first, std::int64_t rows) const {
    return {x.narrow(0, first, rows), time.narrow(0, first, rows), labels.narrow(0, first, rows)};
  }
  mutable at::Tensor entries = {};
  PassInputs view() const {
    const bool has = labels.defined();
    entries = has ? at::arange(labels.size(0), at::kLong) : at::Tensor();
    return {x, time, entries, {.labels = has ? &labels : nullptr}};
  }
};

/// Noise of unit variance at times all over the schedule.
States random_states(std::int64_t count) {
  auto generator = at::detail::createCPUGenerator(3);
  return {at::randn({count, 3, 16, 16}, generator), at::rand({count}, generator) * 1000,
          at::randint(kLabels, {count}, generator, at::kLong)};
}

/// Uncertainties of all states at exits 1 to 4, evaluated `batch` at a time. [states, 4].
at::Tensor scores_in_batches(const Network& network, const States& states, std::int64_t batch) {
  const c10::InferenceMode guard;
  const std::int64_t exits = network.info().blocks - 1;
  at::Tensor scores = at::empty({exits, states.count()});
  const std::unique_ptr<ForwardPass> pass = network.new_pass({.capacity = batch});
  for (std::int64_t first = 0; first < states.count(); first += batch) {
    const States rows = states.rows(first, std::min(batch, states.count() - first));
    pass->begin(rows.view());
    for (std::int64_t exit = 0; exit < exits; ++exit) {
      pass->run_block(0);
      at::Tensor out = scores[exit].narrow(0, first, rows.count());
      pass->score({out});
    }
  }
  return scores.t();
}

/// A threshold per exit that about half of these states fall below: [4].
at::Tensor halving_thresholds(const at::Tensor& scores) { return std::get<0>(scores.median(0)); }

/// Lets everybody go on and writes down what it is shown.
struct Listener final : ExitPolicy {
  mutable std::vector<std::vector<std::vector<float>>> heard{
      8, std::vector<std::vector<float>>(5)};  ///< [evaluation][exit]
  Consult consult(const ExitSite& site) const override {
    return site.exit == 0 ? Consult::No : Consult::Score;
  }
  void decide(const ExitSite& site, const Readings& readings,
              std::span<std::uint8_t> leave) const override {
    std::fill(leave.begin(), leave.end(), std::uint8_t{0});
    for (std::size_t unit = 0; unit < leave.size(); ++unit) {
      heard[static_cast<std::size_t>(site.units[unit].evaluation)]
           [static_cast<std::size_t>(site.exit)]
               .push_back(readings.latest(unit));
    }
  }
};

/// One row per sample, so that matrix products have 17 rows times the batch.
Request unguided() {
  return {.count = 64, .seed = 7, .labels = {0, 1, 2, 3}, .guidance = 1.0, .batch = 64};
}

/// The same with thresholds that, for each evaluation and exit, about half of the samples fall
/// below.
Request halving(const Pipeline& pipeline) {
  auto listener = std::make_shared<Listener>();
  Request request = unguided();
  request.policy = listener;
  pipeline.generate(request);
  Plan plan;
  plan.key = RuleKey::Evaluation;
  plan.rules.clear();
  for (auto& exits : listener->heard) {
    Rule& rule = plan.rules.emplace_back();
    for (std::size_t exit = 1; exit < exits.size(); ++exit) {
      std::sort(exits[exit].begin(), exits[exit].end());
      rule.below.push_back(exits[exit][exits[exit].size() / 2]);
    }
  }
  request.policy.reset();
  request.plan = plan;
  return request;
}

float largest_difference(const Result& left, const Result& right) {
  float largest = 0;
  for (std::size_t i = 0; i < left.images.values.size(); ++i) {
    largest = std::max(largest, std::abs(left.images.values[i] - right.images.values[i]));
  }
  return largest;
}

Request replayed(const Request& request, const Trace& trace) {
  Request again = request;
  again.plan.reset();
  again.policy = replay_policy(trace.exits());
  return again;
}

TEST(UViTBatches, GiveTheSameImagesWhereExitsAreReplayed) {
  const Pipeline pipeline = make_pipeline(small_uvit(), eight_steps());
  const Request request = halving(pipeline);
  const Result together = pipeline.generate(request);
  ASSERT_GT(together.trace.mean_exit_depth(), 1.2) << "too little happens to test anything";
  ASSERT_LT(together.trace.mean_exit_depth(), 4.8) << "too little happens to test anything";
  for (const std::int64_t batch : {1, 7, 64}) {
    Request again = replayed(request, together.trace);
    again.batch = batch;
    const Result result = pipeline.generate(again);
    EXPECT_EQ(result.trace.exits(), together.trace.exits());
    EXPECT_LT(largest_difference(result, together), 1e-3f) << "batch " << batch;
  }
}

TEST(UViTBatches, DecideAlikeFedIdenticalStates) {
  const auto network = small_uvit();
  const States states = random_states(2560);
  const at::Tensor wanted = scores_in_batches(*network, states, 64),
                   below = halving_thresholds(wanted);
  ASSERT_GE(wanted.numel(), 10'000);
  ASSERT_GT(wanted.std(0).min().item<float>(), 1e-3f) << "too little happens to test anything";
  for (const std::int64_t batch : {1, 7}) {
    const at::Tensor scores = scores_in_batches(*network, states, batch);
    const at::Tensor differ = scores.lt(below).ne(wanted.lt(below));
    EXPECT_LE(differ.sum().item<std::int64_t>(), wanted.numel() / 10'000) << "batch " << batch;
    const at::Tensor distances = at::maximum((scores - below).abs(), (wanted - below).abs())
                                     .masked_select(differ);
    EXPECT_TRUE(distances.lt(1e-5).all().item<bool>()) << "batch " << batch;
    EXPECT_LT((scores - wanted).abs().max().item<float>(), 1e-5f) << "batch " << batch;
  }
}

TEST(UViTRuns, GiveTheSameBitsRunAfterRun) {
  const Pipeline pipeline = make_pipeline(small_uvit(), eight_steps());
  const Request request = halving(pipeline);
  const Result first = pipeline.generate(request);
  const Result second = make_pipeline(small_uvit(), eight_steps()).generate(request);
  EXPECT_EQ(first.images.values, second.images.values);
  EXPECT_EQ(first.trace.exits(), second.trace.exits());
}

/// One evaluation of these states by a plan, at the first time of the run.
at::Tensor execute(const std::shared_ptr<const Network>& network, const Plan& plan,
                   const States& states) {
  const auto pipeline = detail::make_pipeline_state(network, eight_steps());
  const detail::SampleJob job = detail::make_job({.plan = plan}, *pipeline);
  std::vector<detail::EvaluationRow> rows;
  for (std::int64_t i = 0; i < states.count(); ++i) rows.push_back({i, 0, 0});
  const c10::InferenceMode guard;
  const PassInputs inputs = states.view();
  at::Tensor out = at::empty_like(states.x);
  detail::HostExecution execution(*network, states.count());
  const std::array<detail::RowGroup, 1> groups{{{job.plan, *job.policy, rows}}};
  execution.begin({.inputs = inputs, .groups = groups, .out = out});
  while (execution.advance()) {
  }
  return out;
}

TEST(UViTNeverExit, GivesThePlainForwardBitForBit) {
  const auto network = small_uvit();
  const States states = random_states(7);
  const c10::InferenceMode guard;
  const at::Tensor plain = network->outputs(states.view(), at::kFloat).back().prediction;
  EXPECT_TRUE(at::equal(execute(network, full_depth(), states), plain));
  EXPECT_TRUE(at::equal(execute(network, exit_below(1e-9f), states), plain))
      << "scores are computed and nobody leaves";
}

TEST(UViTNeverExit, GivesTheImagesOfFullDepthBitForBit) {
  const Pipeline pipeline = make_pipeline(small_uvit(), eight_steps());
  Request request = unguided();
  request.plan = full_depth();
  const std::vector<float> plain = pipeline.generate(request).images.values;
  request.plan = exit_below(1e-9f);
  EXPECT_EQ(pipeline.generate(request).images.values, plain);
}

/// Sets torch's number of threads for a while.
class Threads {
 public:
  explicit Threads(int count) : before_(at::get_num_threads()) { at::set_num_threads(count); }
  ~Threads() { at::set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

TEST(UViTThreads, GiveTheSameImages) {
  const Pipeline pipeline = make_pipeline(small_uvit(), eight_steps());
  Request request = halving(pipeline);
  request.count = 8;
  const auto drawn = [&](int threads, const Request& wanted) {
    const Threads guard(threads);
    return pipeline.generate(wanted);
  };
  const Result alone = drawn(1, request);
  EXPECT_LT(largest_difference(drawn(2, replayed(request, alone.trace)), alone), 1e-3f);
}

}  // namespace
}  // namespace adadiff::test
