// Whole runs against numbers that are known: a Gaussian whose clean prediction is exact, and DDIM
// written out.
#include <cmath>

#include <gtest/gtest.h>

#include "pipeline/pipeline_fixture.h"
#include "support/function_network.h"

namespace adadiff::test {
namespace {

constexpr double kMean = 0.3, kStd = 0.4;

/// The exact mean of the clean value given the noisy one, for data N(kMean, kStd^2).
double exact_clean(double x, double alpha, double sigma) {
  const double variance = alpha * alpha * kStd * kStd + sigma * sigma;
  return kMean + alpha * kStd * kStd / variance * (x - alpha * kMean);
}

SamplerModel exact_model() {
  SamplerModel model;
  model.process.prediction = Prediction::Clean;
  model.process.time_scale = 1;
  return model;
}

Pipeline exact_pipeline() {
  const SchedulePtr schedule = cosine_schedule();
  const auto clean = [schedule](const RowInputs& row, float* out) {
    const double alpha = schedule->alpha(row.time), sigma = schedule->sigma(row.time);
    for (std::int64_t i = 0; i < row.values; ++i)
      out[i] = static_cast<float>(exact_clean(static_cast<double>(row.x[i]), alpha, sigma));
  };
  return make_pipeline(function_network(clean, {1, 16, 16}), exact_model());
}

struct Moments {
  double mean = 0, std = 0;
};

Moments moments_of(const std::vector<float>& values) {
  double sum = 0, squares = 0;
  for (const float value : values) {
    sum += static_cast<double>(value);
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  const auto count = static_cast<double>(values.size());
  return {sum / count, std::sqrt(squares / count - sum * sum / count / count)};
}

class EverySolver : public testing::TestWithParam<SolverSettings> {};

TEST_P(EverySolver, DrawsFromTheGaussianItIsGiven) {
  const Result result = exact_pipeline().generate({.count = 64, .solver = GetParam()});
  const Moments moments = moments_of(result.images.values);  // 16384 values: standard error 0.003
  EXPECT_EQ(result.status, Status::Completed);
  EXPECT_NEAR(moments.mean, kMean, 0.02);
  EXPECT_NEAR(moments.std, kStd, 0.02);
}

SolverSettings settings(const char* solver, int steps, double eta = 0) {
  SolverSettings settings;
  settings.solver = solver;
  settings.steps = steps;
  settings.eta = eta;
  return settings;
}

INSTANTIATE_TEST_SUITE_P(Solvers, EverySolver,
                         testing::Values(settings("ddim", 100), settings("ddim", 200, 1.0),
                                         settings("ddpm", 200), settings("euler-maruyama", 400),
                                         settings("dpmpp-2m", 30), settings("heun", 30)),
                         [](const auto& tested) {
                           std::string name = tested.param.solver +
                                              (tested.param.eta > 0 ? "_eta" : "");
                           std::erase(name, '-');
                           return name;
                         });

TEST(StochasticSolvers, DoNotDependOnTheBatch) {
  const Pipeline pipeline = exact_pipeline();
  const Request together{.count = 5, .seed = 2, .solver = settings("ddpm", 10)};
  Request apart = together;
  apart.batch = 2;
  EXPECT_EQ(pipeline.generate(together).images.values, pipeline.generate(apart).images.values);
}

TEST(Ddim, EqualsTheLoopWrittenOut) {
  const int steps = 10;
  std::vector<float> noise(256);
  for (std::size_t i = 0; i < noise.size(); ++i)
    noise[i] = static_cast<float>(std::sin(1.3 * static_cast<double>(i)));
  const SchedulePtr schedule = cosine_schedule();
  const std::vector<double> times = time_grid("uniform", {.schedule = schedule}, steps);
  const std::vector<float> drawn = exact_pipeline()
                                       .generate({.solver = settings("ddim", steps),
                                                  .initial_noise = noise})
                                       .images.values;
  for (std::size_t i = 0; i < noise.size(); ++i) {
    auto x = static_cast<double>(noise[i]);
    for (std::size_t k = 0; k + 1 < times.size(); ++k) {
      const double alpha = schedule->alpha(times[k]), sigma = schedule->sigma(times[k]);
      const double clean = exact_clean(x, alpha, sigma),
                   predicted_noise = (x - alpha * clean) / sigma;
      x = schedule->alpha(times[k + 1]) * clean + schedule->sigma(times[k + 1]) * predicted_noise;
    }
    ASSERT_NEAR(static_cast<double>(drawn[i]), x, 1e-5);
  }
}

TEST(StartImage, IsNoisedToItsTime) {
  const SchedulePtr schedule = cosine_schedule();
  std::vector<float> first_state;
  const auto remember = [&first_state](const RowInputs& row, float* out) {
    if (first_state.empty()) first_state.assign(row.x, row.x + row.values);
    std::fill(out, out + row.values, 0.0f);
  };
  const Pipeline pipeline = make_pipeline(function_network(remember), exact_model());
  const Request request{.initial_noise = std::vector<float>(16, 2.0f),
                        .start_image = std::vector<float>(16, 0.5f),
                        .start_time = 0.4};
  const Result result = pipeline.generate(request);
  EXPECT_NEAR(first_state[3], schedule->alpha(0.4) * 0.5 + schedule->sigma(0.4) * 2, 1e-6);
  EXPECT_NEAR(result.trace.evaluations[0].time, 0.4, 1e-12);
}

TEST(StartImage, IsThePreviewBeforeTheFirstStep) {
  const std::vector<float> image(256, 0.5f);
  EXPECT_EQ(exact_pipeline().start({.start_image = image, .start_time = 0.4}).preview(0).values,
            image);
}

TEST(Clamp, BoundsTheCleanImageThatTheUpdateUses) {
  const auto far = [](const RowInputs& row, float* out) { std::fill(out, out + row.values, 7.0f); };
  const Pipeline pipeline = make_pipeline(function_network(far), exact_model());
  SolverSettings solver = settings("ddim", 4);
  EXPECT_FLOAT_EQ(pipeline.generate({.solver = solver}).images.values[0], 7);
  solver.clamp = true;
  EXPECT_FLOAT_EQ(pipeline.generate({.solver = solver}).images.values[0], 1);
}

TEST(Guidance, GoesFromUnconditionalThroughConditional) {
  const auto by_label = [](const RowInputs& row, float* out) {
    std::fill(out, out + row.values, row.label == 2 ? 0.1f : 0.3f);
  };
  const Pipeline pipeline = make_pipeline(function_network(by_label, {}, 3), exact_model());
  const auto drawn = [&](double guidance) {
    return pipeline.generate({.labels = {0}, .guidance = guidance, .solver = settings("ddim", 4)})
        .images.values[0];
  };
  EXPECT_NEAR(drawn(0), 0.1, 1e-6);
  EXPECT_NEAR(drawn(1), 0.3, 1e-6);
  EXPECT_NEAR(drawn(3), 0.7, 1e-6);
}

TEST(Guidance, OfOneRunsNoSecondBranch) {
  EXPECT_EQ(make_sampled().pipeline.generate({.labels = {0}, .guidance = 1.0}).trace.branches, 1);
}

TEST(Failure, NamesNetworkStepAndSampleOfNaN) {
  const auto broken = [](const RowInputs& row, float* out) {
    std::fill(out, out + row.values, row.time < 0.4 ? std::nanf("") : 0.0f);
  };
  adadiff::Run run = make_pipeline(function_network(broken), exact_model())
                         .start({.solver = settings("ddim", 4)});
  try {
    run.advance(std::chrono::hours(1));
    FAIL();
  } catch (const ModelError& error) {
    EXPECT_EQ(
        std::string(error.what())
            .find("network \"function\": must give finite values, but gave NaN or infinity at step "
                  "3 for sample 0"),
        0u)
        << error.what();
  }
  EXPECT_EQ(run.status(), Status::Failed);
}

}  // namespace
}  // namespace adadiff::test
