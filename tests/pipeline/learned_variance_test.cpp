// Networks whose predictions come with variances.
#include <cmath>

#include <gtest/gtest.h>

#include <ATen/ATen.h>

#include "pipeline/pipeline_fixture.h"
#include "support/function_network.h"

namespace adadiff::test {
namespace {

/// Predicts a clean image of 0, and the variance `share` of the way from its lower bound, -1, to
/// its upper one, 1.
class WithVariance final : public Network {
 public:
  explicit WithVariance(float share) : share_(share) {
    info_.kind = "with-variance";
    info_.blocks = 1;
    info_.channels = 2;
    info_.height = 4;
    info_.width = 6;
    info_.can_exit = {1};
    info_.cost = {1, {2}, {3}, {4}};
    info_.has_learned_variance = true;
  }
  const NetworkInfo& info() const override { return info_; }
  std::unique_ptr<ForwardPass> new_pass(const PassOptions&) const override {
    return std::make_unique<Pass>(share_);
  }

 private:
  class Pass final : public ForwardPass {
   public:
    explicit Pass(float share) : share_(share) {}
    void begin(const PassInputs&) override {}
    void run_block(std::uint8_t) override {}
    void score(const ScoreSink& sink) const override { sink.out.zero_(); }
    void predict(const at::Tensor&, const at::Tensor& slots, const at::Tensor& out) const override {
      at::Tensor prediction = at::zeros({slots.size(0), 4, 4, 6});
      prediction.narrow(1, 2, 2).fill_(share_);
      out.index_copy_(0, slots, prediction);
    }
    void keep(const at::Tensor&, std::int64_t) override {}

   private:
    float share_;
  };

  float share_;
  NetworkInfo info_;
};

/// One DDPM step from pure noise to the time 0.5, where the state is then almost only the step's
/// noise: its deviation.
double deviation(float share, const char* solver = "ddpm") {
  SamplerModel model;
  model.process.prediction = Prediction::Clean;
  SolverSettings settings;
  settings.solver = solver;
  settings.times = {0.9, 0.5, 0.2};
  const Pipeline pipeline = make_pipeline(std::make_shared<WithVariance>(share), model);
  const Images images = pipeline.generate({.count = 200, .solver = settings}).images;
  double squares = 0;
  for (const float value : images.values)
    squares += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(squares / static_cast<double>(images.values.size()));
}

TEST(LearnedVariance, ChoosesBetweenTheTwoBoundsOfDdpm) {
  // From x at 0.5 to 0.2 by hand: the state keeps r sigma_s^2 / sigma_t^2 of itself, and noise of
  // deviation sqrt(beta-tilde) at share -1, sqrt(beta) at share 1, their geometric mean at 0.
  const SchedulePtr schedule = cosine_schedule();
  const auto step = [&schedule](double from, double to, double state, double share) {
    const double ratio = schedule->alpha(from) / schedule->alpha(to);
    const double sigma_t = schedule->sigma(from), sigma_s = schedule->sigma(to);
    const double beta = 1 - ratio * ratio, kept = ratio * sigma_s * sigma_s / sigma_t / sigma_t;
    const double least = std::sqrt(beta) * sigma_s / sigma_t, most = std::sqrt(beta);
    const double noise = std::pow(least, (1 - share) / 2) * std::pow(most, (1 + share) / 2);
    return std::sqrt(kept * kept * state * state + noise * noise);
  };
  for (const float share : {-1.0f, 0.0f, 1.0f}) {
    const auto wanted = static_cast<double>(share);
    // 9600 values: the standard error of a deviation is 0.7 %.
    EXPECT_NEAR(deviation(share) / step(0.5, 0.2, step(0.9, 0.5, 1, wanted), wanted), 1, 0.03)
        << share;
  }
}

TEST(LearnedVariance, IsLeftAsideByOtherSolvers) {
  EXPECT_EQ(deviation(-1, "ddim"), deviation(1, "ddim"));
  EXPECT_EQ(deviation(-1, "heun"), deviation(1, "heun"));
}

TEST(LearnedVariance, OfRowsThatLeaveAtExitZeroIsTheLowerBound) {
  SamplerModel model;
  model.process.prediction = Prediction::Clean;
  SolverSettings settings;
  settings.solver = "ddpm";
  settings.steps = 4;
  Plan plan;
  plan.rules = {{.below = {kAlways}}};
  const auto images = [&](float share) {
    return make_pipeline(std::make_shared<WithVariance>(share), model)
        .generate({.count = 3, .plan = plan, .solver = settings})
        .images.values;
  };
  EXPECT_EQ(images(1), images(-1));
}

TEST(GuidedChannels, LeaveTheOthersAsTheConditionSays) {
  const auto network = function_network(
      [](const RowInputs& row, float* out) {
        for (std::int64_t i = 0; i < row.values; ++i)
          out[i] = row.label == 1 ? 0.0f : 0.25f;  // label 1 is the null label
      },
      {.channels = 3, .height = 2, .width = 2}, 2);
  SamplerModel model;
  model.process.prediction = Prediction::Clean;
  model.solver.steps = 1;
  model.guided_channels = 2;
  const Images
      images = make_pipeline(network, model).generate({.labels = {0}, .guidance = 3.0}).images;
  const std::vector<float> wanted{.75f, .75f, .75f, .75f, .75f, .75f,
                                  .75f, .75f, .25f, .25f, .25f, .25f};
  EXPECT_EQ(images.values, wanted);
}

}  // namespace
}  // namespace adadiff::test
