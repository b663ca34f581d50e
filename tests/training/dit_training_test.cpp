// Another family of networks and another kind of diffusion through the same trainer and sampler: a
// DiT that learns the flow from images to noise.
#include <gmock/gmock.h>

#include <ATen/Parallel.h>

#include <adadiff/pipeline.h>
#include <adadiff/training.h>

#include "models/model_file.h"
#include "training/tiny_data.h"

namespace adadiff::detail {
namespace {

class DiTTraining : public testing::Test {
 protected:
  DiTTraining() {
    at::set_num_threads(1);
    test::write_tiny_data(folder_);
  }
  TrainingOptions options(std::int64_t steps) const {
    TrainingOptions o = test::tiny_options(folder_, "model", steps);
    o.network = R"({"kind": "dit", "image_size": 4, "channels": 1, "patch_size": 2, "width": 32,
      "depth": 4, "heads": 2, "label_rows": 3, "time_frequencies": 32, "heads_per_exit": true})";
    o.prediction = Prediction::Flow;
    o.schedule = "linear-flow";
    o.batch = 32;
    o.uncertainty_learning_rate = 2e-2;
    return o;
  }
  test::TemporaryFolder folder_;
};

/// Mean of the upper half minus that of the lower one, over all images.
double top_over_bottom(const Images& images) {
  double sum = 0;
  for (std::size_t i = 0; i < images.values.size(); ++i)
    sum += (i % 16 < 8 ? 1 : -1) * static_cast<double>(images.values[i]);
  return sum / (static_cast<double>(images.count) * 8);
}

TEST_F(DiTTraining, LearnsAFlowThatDrawsItsClasses) {
  double first = 0, last = 0, exits = 0;
  train(options(300), [&](const TrainingProgress& progress) {
    if (progress.step == 1) first = progress.simple;
    last = progress.simple;
    exits = progress.layers;
    return true;
  });
  EXPECT_LT(last, 0.5 * first);
  EXPECT_LT(exits, 0.7 * first) << "exits learn too";

  const Pipeline pipeline = Pipeline::open(folder_.file("model"));
  EXPECT_EQ(pipeline.model().network, "dit");
  EXPECT_EQ(pipeline.model().prediction, "flow");
  const SolverSettings solver{.solver = "ddim", .steps = 10};
  const auto draw = [&](std::int64_t label, const Plan& plan) {
    return top_over_bottom(
        pipeline
            .generate(
                {.count = 16, .labels = {label}, .guidance = 1.0, .plan = plan, .solver = solver})
            .images);
  };
  EXPECT_GT(draw(0, full_depth()), 1);  // bright above: 2 for the images themselves
  EXPECT_LT(draw(1, full_depth()), -1);
  EXPECT_GT(draw(0, fixed_exit(2, 4)), 0.5) << "half of the depth draws them as well";
}

TEST_F(DiTTraining, IsDescribedInItsModelFile) {
  train(options(2));
  const Model model = read_model(folder_.file("model"));
  EXPECT_EQ(model.network->info().kind, "dit");
  EXPECT_EQ(model.sampler.process.prediction, Prediction::Flow);
  EXPECT_EQ(model.sampler.process.schedule->name(), "linear-flow");
}

TEST_F(DiTTraining, AddsExitsToADiTThatHasNone) {
  TrainingOptions plain = options(3);
  plain.network = R"({"kind": "dit", "image_size": 4, "channels": 1, "patch_size": 2, "width": 16,
    "depth": 3, "heads": 2, "label_rows": 3, "uncertainty": "none"})";
  train(plain);
  TrainingOptions tuned = options(3);
  tuned.network = {};
  tuned.from = folder_.file("model");
  tuned.model = folder_.file("tuned");
  tuned.log = {};
  tuned.trained = Trained::Exits;
  train(tuned);
  const Model model = read_model(folder_.file("tuned"));
  EXPECT_TRUE(model.network->info().has_uncertainty);
  EXPECT_NE(model.network->config_json().find("\"heads_per_exit\":true"), std::string::npos);
}

}  // namespace
}  // namespace adadiff::detail
