// Trainings of exits without images: from the states of the model's own runs.
#include "training/own_runs.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>

#include <adadiff/pipeline.h>

#include "io/npy.h"
#include "models/model_description.h"
#include "models/model_file.h"
#include "training/temporary_folder.h"
#include "training/tiny_data.h"

namespace adadiff::detail {
namespace {

using test::message_of;
using testing::HasSubstr;

constexpr const char* kUViT = R"({"format": 1, "network": {"kind": "uvit", "image_size": 4,
  "channels": 1, "patch_size": 2, "width": 8, "depth": 2, "heads": 2, "label_rows": 3,
  "uncertainty": "none"}, "prediction": "noise", "schedule": {"name": "cosine"},
  "time": {"scale": 1000, "shift": 0}, "labels": {"null": 2}, "guidance": 1.5})";
constexpr const char* kUNet = R"({"format": 1, "network": {"kind": "unet", "image_size": 4,
  "channels": 1, "width": 4, "multipliers": [1, 1], "blocks_per_level": 1, "heads": 1,
  "norm_groups": 2, "pooled_width": 2, "uncertainty": "none"}, "exits": [],
  "prediction": "preconditioned", "schedule": {"name": "karras"},
  "time": {"embeds": "log-sigma", "scale": 250}, "solver": {"name": "ddim", "steps": 1}})";

class WithoutImages : public testing::Test {
 protected:
  WithoutImages() { at::set_num_threads(1); }  // tensors this small only lose by more

  /// Writes a model with random weights and returns its path.
  std::string write_base(const char* description) const {
    Model model = parse_description(description, "base");
    auto generator = at::detail::createCPUGenerator(4);
    model.network->visit([&](const std::string&, at::Tensor& tensor) {
      tensor.copy_(0.4 * at::randn(tensor.sizes(), generator));
    });
    write_model(model, folder_.file("base"));
    return folder_.file("base");
  }
  TrainingOptions options(const std::string& name, std::int64_t steps) const {
    TrainingOptions o = test::tiny_options(folder_, name, steps);
    o.images = kNoImages;
    o.labels.clear();
    o.class_names.clear();
    o.from = folder_.file("base");
    o.trained = Trained::Exits;
    return o;
  }
  OwnRuns runs_of(const Model& model, const TrainingOptions& o) const {
    return {model.network, model.sampler, o, read_conditions(o, model.network->info())};
  }

  test::TemporaryFolder folder_;
};

TEST_F(WithoutImages, StatesHaveFullDepthsPredictions) {
  const Model model = read_model(write_base(kUViT));
  OwnRuns runs = runs_of(model, options("x", 1));
  const at::NoGradGuard no_gradient;
  for (const std::int64_t step : {0, 1, 200}) {
    const Batch& batch = runs.at_step(step);
    const at::Tensor labels = at::arange(3, at::kLong);
    const auto outputs = model.network->outputs(
        {batch.x, batch.time, batch.labels, {.labels = &labels}}, at::kFloat);
    EXPECT_LT((outputs.back().prediction - batch.truth).abs().max().item<double>(), 1e-5);
  }
}

TEST_F(WithoutImages, StatesAreOfManyTimesAndLabels) {
  const Model model = read_model(write_base(kUViT));
  TrainingOptions o = options("x", 1);
  o.batch = 64;
  OwnRuns runs = runs_of(model, o);
  const Batch& batch = runs.at_step(0);
  EXPECT_GT(std::get<0>(at::_unique(batch.time)).numel(), 10);
  EXPECT_EQ(std::get<0>(at::_unique(batch.labels)).numel(),
            3);  // guidance draws with the null label
}

TEST_F(WithoutImages, BatchesAreFunctionsOfTheirStep) {
  const Model model = read_model(write_base(kUViT));
  OwnRuns forward = runs_of(model, options("x", 1)), backward = runs_of(model, options("x", 1));
  const Batch late = backward.at_step(300);
  const Batch early = backward.at_step(3);
  EXPECT_TRUE(at::equal(forward.at_step(3).x, early.x));
  EXPECT_TRUE(at::equal(forward.at_step(300).x, late.x));
  EXPECT_FALSE(at::equal(early.x, late.x));
}

TEST_F(WithoutImages, EveryRunBeginsWithNoiseOfItsOwn) {
  const Model model = read_model(write_base(kUViT));
  TrainingOptions o = options("x", 1);
  o.run_steps = 1;  // all states are the runs' first ones
  o.batch = 64;     // as many as the four runs of a pool have, so that a batch has each once
  OwnRuns runs = runs_of(model, o);
  std::set<std::vector<float>> noises;
  for (const std::int64_t step : {0, 100}) {
    const at::Tensor x = runs.at_step(step).x.flatten(1).contiguous();
    for (std::int64_t row = 0; row < x.size(0); ++row) {
      const float* values = x[row].const_data_ptr<float>();
      noises.insert({values, values + x.size(1)});
    }
  }
  // Guidance evaluates a sample twice in the same state, so half of the rows repeat others.
  EXPECT_GE(noises.size(), 64u);
}

TEST_F(WithoutImages, ExitsComeNearerToFullDepth) {
  write_base(kUViT);
  double first = 0, last = 0;
  TrainingOptions o = options("exits", 300);
  o.learning_rate = 1e-2;
  train(o, [&](const TrainingProgress& p) {
    (p.step == 1 ? first : last) = p.layers;
    return true;
  });
  EXPECT_LT(last, 0.5 * first);
  const Request request{.count = 3, .labels = {0, 1}, .plan = full_depth()};
  EXPECT_EQ(Pipeline::open(folder_.file("base")).generate(request).images.values,
            Pipeline::open(folder_.file("exits")).generate(request).images.values);
}

TEST_F(WithoutImages, AnInterruptionChangesNothing) {
  write_base(kUViT);
  train(options("whole", 40));
  train(options("parts", 40), [](const TrainingProgress& p) { return p.step < 17; });
  TrainingOptions rest = options("parts", 40);
  rest.start = Start::Resume;
  train(rest);
  std::map<std::string, at::Tensor> whole;
  read_model(folder_.file("whole")).network->visit([&](const std::string& name, at::Tensor& t) {
    whole[name] = t.clone();
  });
  read_model(folder_.file("parts")).network->visit([&](const std::string& name, at::Tensor& t) {
    EXPECT_TRUE(at::equal(t, whole.at(name))) << name;
  });
}

TEST_F(WithoutImages, ConditionsThatAreVectorsAreDrawnFromAFile) {
  write_base(kUNet);
  const std::vector<float> vectors{0, 0, 1, -1, 0.5F, 2};
  write_npy(folder_.file("vectors"), {3, 2}, std::span<const float>(vectors));
  TrainingOptions o = options("exits", 3);
  EXPECT_THAT(message_of<InvalidArgument>([&] { train(o); }),
              HasSubstr("TrainingOptions.conditions: must name a .npy file of vectors [N, 2]"));
  o.conditions = folder_.file("vectors");
  train(o);
  const Pipeline pipeline = Pipeline::open(folder_.file("exits"));
  EXPECT_EQ(pipeline.model().exits.size(), static_cast<std::size_t>(pipeline.model().blocks));
}

TEST_F(WithoutImages, ImagesTeachNoOtherConditionsThanLabels) {
  write_base(kUNet);
  test::write_tiny_data(folder_);
  TrainingOptions o = test::tiny_options(folder_, "x", 1);
  o.from = folder_.file("base");
  o.class_names.clear();
  o.labels.clear();
  EXPECT_THAT(message_of<InvalidArgument>([&] { train(o); }),
              HasSubstr("must take no conditions but labels where it learns from images"));
  o.conditions = folder_.file("vectors");
  EXPECT_THAT(message_of<InvalidArgument>([&] { train(o); }),
              HasSubstr("TrainingOptions.conditions: must go with images \"none\""));
}

TEST_F(WithoutImages, MoreThanTheExitsCannotBeTrained) {
  write_base(kUViT);
  TrainingOptions o = options("all", 1);
  o.trained = Trained::All;
  EXPECT_THAT(message_of<InvalidArgument>([&] { train(o); }),
              HasSubstr("TrainingOptions.images: must be given where more than the exits"));
}

}  // namespace
}  // namespace adadiff::detail
