// What is seen of a run's excess, and runs that leave by it.
#include "metrics/excess_network.h"

#include <gmock/gmock.h>

#include <ATen/ATen.h>

#include <adadiff/pipeline.h>

namespace adadiff::detail {
namespace {

/// Two exits that err by 0.5 and 0.1 for every row at every time, under scores that say nothing.
class ErringPass final : public ForwardPass {
 public:
  void begin(const PassInputs& inputs) override {
    rows_ = inputs.x.size(0);
    blocks_ = 0;
  }
  void run_block(std::uint8_t) override { ++blocks_; }
  void score(const ScoreSink& sink) const override { sink.out.fill_(0.75); }
  void predict(const at::Tensor& rows, const at::Tensor& slots,
               const at::Tensor& out) const override {
    constexpr double kErrors[] = {0.5, 0.1, 0};
    out.index_copy_(0, slots, at::full({rows.size(0), 1, 2, 2}, 1 + kErrors[blocks_ - 1]));
  }
  void keep(const at::Tensor& rows, std::int64_t) override { rows_ = rows.size(0); }

 private:
  std::int64_t rows_ = 0;
  int blocks_ = 0;
};

class ErringNetwork final : public Network {
 public:
  ErringNetwork() {
    info_.kind = "erring";
    info_.blocks = 3;
    info_.channels = 1;
    info_.height = info_.width = 2;
    info_.can_exit = {0, 1, 1};
    info_.cost = {.embed = 1, .block = {1, 1, 1}, .head = {1, 1, 1}, .score = {1, 1, 1}};
  }
  const NetworkInfo& info() const override { return info_; }
  std::unique_ptr<ForwardPass> new_pass(const PassOptions&) const override {
    return std::make_unique<ErringPass>();
  }

 private:
  NetworkInfo info_;
};

struct Seen {
  Result result;
  std::map<float, ExcessAtTime> times;
};

Seen run(Scores scores, const Plan& plan) {
  const auto record = std::make_shared<ExcessRecord>();
  const Pipeline pipeline = make_pipeline(
      std::make_shared<ExcessNetwork>(std::make_shared<ErringNetwork>(), scores, record), {});
  Seen seen{pipeline.generate(
                {.count = 5, .plan = plan, .solver = SolverSettings{.steps = 4}, .batch = 3}),
            {}};
  seen.times = record->times();
  return seen;
}

TEST(ExcessNetwork, RecordsTheExcessOfEveryExitAtEveryTime) {
  const Seen seen = run(Scores::Learned, full_depth());
  ASSERT_EQ(seen.times.size(), 4);
  for (const auto& [time, excess] : seen.times) {
    EXPECT_EQ(excess.rows, 5);
    EXPECT_NEAR(excess.mean_at(0), 0.25, 1e-6);
    EXPECT_NEAR(excess.mean_at(1), 0.01, 1e-6);
    EXPECT_EQ(excess.mean_at(2), 0);
    EXPECT_EQ(excess.mean_taken(), 0);
  }
}

TEST(ExcessNetwork, RecordsTheExcessOfThePredictionsThatWereTaken) {
  const Seen seen = run(Scores::Learned, fixed_exit(1, 3));
  for (const auto& [time, excess] : seen.times) {
    EXPECT_EQ(excess.predictions, 5);
    EXPECT_NEAR(excess.mean_taken(), 0.25, 1e-6);
  }
}

TEST(ExcessNetwork, LeavesTheNetworksOwnScoresAlone) {
  EXPECT_EQ(run(Scores::Learned, exit_below(0.7F)).result.trace.mean_exit_depth(), 3);
  EXPECT_EQ(run(Scores::Learned, exit_below(0.8F)).result.trace.mean_exit_depth(), 1);
}

TEST(ExcessNetwork, IdealScoresLeaveAtTheFirstExitWhoseExcessIsSmallEnough) {
  // rms / (1 + rms) of 0.5 and 0.1 is 0.333 and 0.0909.
  EXPECT_EQ(run(Scores::Ideal, exit_below(0.34F)).result.trace.mean_exit_depth(), 1);
  EXPECT_EQ(run(Scores::Ideal, exit_below(0.1F)).result.trace.mean_exit_depth(), 2);
  EXPECT_EQ(run(Scores::Ideal, exit_below(0.09F)).result.trace.mean_exit_depth(), 3);
}

TEST(ExcessNetwork, DrawsWhatTheNetworkDraws) {
  const Plan plan = exit_below(0.8F);
  const Pipeline plain = make_pipeline(std::make_shared<ErringNetwork>(), {});
  const Result expected = plain.generate(
      {.count = 5, .plan = plan, .solver = SolverSettings{.steps = 4}, .batch = 3});
  EXPECT_EQ(run(Scores::Learned, plan).result.images.values, expected.images.values);
}

TEST(ExcessNetwork, MeasuresTheExitThatWasTakenNotTheOneThatGuided) {
  const Seen plain = run(Scores::Learned, fixed_exit(2, 3)),
             with = run(Scores::Learned, guided(fixed_exit(2, 3), {.exit = 1, .weight = 2}));
  ASSERT_EQ(with.times.size(), plain.times.size());
  for (auto [a, b] = std::pair(plain.times.begin(), with.times.begin()); a != plain.times.end();
       ++a, ++b) {
    EXPECT_EQ(b->second.predictions, a->second.predictions);
    EXPECT_NEAR(b->second.mean_taken(), 0.1 * 0.1, 1e-6);
  }
}

}  // namespace
}  // namespace adadiff::detail
