// Conditions that are no labels: sequences of tokens with a mask, and pooled vectors.
#include <gtest/gtest.h>

#include <ATen/ATen.h>

#include "pipeline/pipeline_fixture.h"
#include "pipeline/pipeline_state.h"
#include "pipeline/request.h"
#include "sampling/slots.h"

namespace adadiff::test {
namespace {

/// Predicts, everywhere, the sum of its entry's tokens that count plus its pooled vector's.
class Described final : public Network {
 public:
  Described() {
    info_.kind = "described";
    info_.blocks = 1;
    info_.channels = 1;
    info_.height = info_.width = 2;
    info_.can_exit = {0};
    info_.cost = {1, {2}, {3}, {4}};
    info_.condition = {.tokens = 3, .token_width = 2, .pooled_width = 2};
  }
  const NetworkInfo& info() const override { return info_; }
  std::unique_ptr<ForwardPass> new_pass(const PassOptions&) const override {
    return std::make_unique<Pass>();
  }

 private:
  class Pass final : public ForwardPass {
   public:
    void begin(const PassInputs& inputs) override {
      const ConditionTable& table = inputs.conditions;
      const at::Tensor counted = *table.tokens * table.mask->unsqueeze(2);
      const at::Tensor of_entry = counted.sum({1, 2}) + table.pooled->sum(1);
      of_row_ = of_entry.index_select(0, inputs.entries);
    }
    void run_block(std::uint8_t) override {}
    void score(const ScoreSink& sink) const override { sink.out.zero_(); }
    void predict(const at::Tensor& rows, const at::Tensor& slots,
                 const at::Tensor& out) const override {
      const at::Tensor values = of_row_.index_select(0, rows).view({-1, 1, 1, 1});
      out.index_copy_(0, slots, values.expand({-1, 1, 2, 2}));
    }
    void keep(const at::Tensor&, std::int64_t) override {}

   private:
    at::Tensor of_row_;
  };

  NetworkInfo info_;
};

Condition condition(float token) {
  return {.tokens = {token, 0, 10, 0, 100, 0}, .mask = {1, 1, 0}, .pooled = {1000, 0}};
}

detail::SampleJob job_of(const detail::PipelineState& state, float first_token) {
  detail::SampleJob job = detail::make_job({.count = 2, .conditions = {condition(0)}}, state);
  job.conditions = {.named = 2,
                    .none = 2,
                    .tokens = {first_token, 0, 10, 0, 100, 0,  //
                               2, 0, 20, 0, 200, 0,            //
                               0, 0, 0, 0, 0, 0},
                    .mask = {1, 1, 0, 1, 0, 1, 1, 1, 1},
                    .pooled = {1000, 0, 2000, 0, 0, 1}};
  job.guidance = 2;
  job.guided_channels = 1;
  return job;
}

TEST(Conditions, AreFoundByTheEntryOfEachRowAlsoBesideThoseOfOtherRequests) {
  const auto network = std::make_shared<const Described>();
  SamplerModel model;
  model.process.prediction = Prediction::Clean;
  model.solver.steps = 1;
  const auto state = detail::make_pipeline_state(network, model);
  detail::Slots slots(network, 4, 2);
  const std::uint64_t groups[] = {
      slots.add(std::make_shared<const detail::SampleJob>(job_of(*state, 1)), 0, 2),
      slots.add(std::make_shared<const detail::SampleJob>(job_of(*state, 5)), 0, 2)};
  while (slots.has_work()) slots.advance();
  // none + 2 (named - none), none = 1.
  const float wanted[][2] = {{2 * 1011 - 1, 2 * 2202 - 1}, {2 * 1015 - 1, 2 * 2202 - 1}};
  for (std::size_t group = 0; group < 2; ++group) {
    for (std::int64_t sample = 0; sample < 2; ++sample) {
      std::vector<float> image(4);
      slots.read(groups[group], sample, detail::StateBackend::Value::State, image.data());
      EXPECT_EQ(image, std::vector<float>(4, wanted[group][sample]))
          << "sample " << sample << " of request " << group;
    }
  }
}

Pipeline described_pipeline() {
  SamplerModel model;
  model.process.prediction = Prediction::Clean;
  model.solver.steps = 1;
  return make_pipeline(std::make_shared<const Described>(), model);
}

TEST(Conditions, OfARequestAreCycledThrough) {
  const Images images = described_pipeline()
                            .generate({.count = 3, .conditions = {condition(1), condition(2)}})
                            .images;
  EXPECT_EQ(images.values, (std::vector<float>{1011, 1011, 1011, 1011,  //
                                               1012, 1012, 1012, 1012,  //
                                               1011, 1011, 1011, 1011}));
}

TEST(Conditions, AreGuidedAwayFromTheOneThatStandsForNone) {
  Condition none = condition(1);
  none.pooled = {0, 1};
  const Images images = described_pipeline()
                            .generate({.conditions = {condition(1)},
                                       .no_condition = none,
                                       .guidance = 2.0})
                            .images;
  EXPECT_EQ(images.values, std::vector<float>(4, 2 * 1011 - 12));
}

TEST(Conditions, ThatDoNotFitTheNetworkAreRefused) {
  const Pipeline pipeline = described_pipeline();
  EXPECT_EQ(refusal([&] { pipeline.start({}); }),
            "Request.conditions: must be given for a network that takes them, but are empty");
  Condition longer = condition(1);
  longer.tokens.push_back(0);
  EXPECT_EQ(refusal([&] {
              pipeline.start({.conditions = {condition(1), longer}});
            }),
            "Request.conditions[1].tokens: must have 6 numbers, as the network takes, but has 7");
  EXPECT_EQ(refusal([&] { pipeline.start({.conditions = {condition(1)}, .guidance = 2.0}); }),
            "Request.no_condition: must be given where guidance is not 1, but is not set");
  EXPECT_EQ(refusal([] { make_sampled().pipeline.start({.conditions = {condition(1)}}); }),
            "Request.conditions: must be left out for a network that takes none but labels, but "
            "are given");
}

}  // namespace
}  // namespace adadiff::test
