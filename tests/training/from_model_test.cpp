// Trainings that start from a model: exits on a frozen backbone, exits that are added, joint
// fine-tuning.
#include <gmock/gmock.h>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>

#include <adadiff/image.h>
#include <adadiff/pipeline.h>

#include "io/json_reader.h"
#include "models/model_file.h"
#include "networks/registry.h"
#include "training/class_names.h"
#include "training/task.h"
#include "training/temporary_folder.h"
#include "training/tiny_data.h"
#include "training/trainer.h"

namespace adadiff::detail {
namespace {

using test::message_of;
using testing::HasSubstr;

using Weights = std::map<std::string, at::Tensor>;

Weights weights_of(const Model& model) {
  Weights weights;
  model.network->visit([&](const std::string& name, at::Tensor& tensor) {
    weights.emplace(name, tensor.detach().clone());
  });
  return weights;
}

class FromModel : public testing::Test {
 protected:
  FromModel() {
    at::set_num_threads(1);  // tensors this small only lose by more
    test::write_tiny_data(folder_);
    train(test::tiny_options(folder_, "base", 5));
  }
  TrainingOptions from_base(const std::string& name, Trained trained, std::int64_t steps) const {
    TrainingOptions o = test::tiny_options(folder_, name, steps);
    o.from = folder_.file("base");
    o.trained = trained;
    return o;
  }
  /// The base model with keys of its network's description replaced, weights drawn anew.
  std::string write_variant(const std::string& name, const std::string& network) const {
    Model model = read_model(folder_.file("base"));
    model.network = make_network(JsonReader(network, "variant"), {.null_label = 2});
    model.network->initialise(3);
    model.sampler.id.clear();
    write_model(model, folder_.file(name));
    return folder_.file(name);
  }
  Weights read(const std::string& name) const { return weights_of(read_model(folder_.file(name))); }

  test::TemporaryFolder folder_;
};

constexpr const char* kPlain =
    R"({"kind": "uvit", "image_size": 4, "channels": 1, "patch_size": 2, "width": 8, "depth": 2, "heads": 2,
  "label_rows": 3, "time_mlp": true, "uncertainty": "none"})";

TEST_F(FromModel, ExitsAloneLeaveFullDepthBitForBit) {
  train(from_base("exits", Trained::Exits, 20));
  const Weights before = read("base"), after = read("exits");
  ASSERT_EQ(before.size(), after.size());
  for (const auto& [name, tensor] : after) {
    const bool is_of_exits = name.starts_with("uem.") || name.starts_with("exit_heads.");
    EXPECT_EQ(tensor.equal(before.at(name)), !is_of_exits) << name;
  }
  const Request request{.count = 3, .plan = full_depth()};
  EXPECT_EQ(Pipeline::open(folder_.file("base")).generate(request).images.values,
            Pipeline::open(folder_.file("exits")).generate(request).images.values);
}

TEST_F(FromModel, ExitsAloneLearnToForetellTheExcess) {
  double first = 0, last = 0;
  TrainingOptions o = from_base("exits", Trained::Exits, 200);
  o.uncertainty_learning_rate = 2e-2;
  train(o, [&](const TrainingProgress& p) {
    (p.step == 1 ? first : last) = p.uncertainty;
    return true;
  });
  EXPECT_LT(last, 0.5 * first);
}

TEST_F(FromModel, FineTuningChangesTheBackbone) {
  train(from_base("tuned", Trained::All, 2));
  EXPECT_FALSE(read("tuned")
                   .at("in_blocks.0.attn.qkv.weight")
                   .equal(read("base").at("in_blocks.0.attn.qkv.weight")));
}

TEST_F(FromModel, ExitsAreAddedToAModelWithoutAny) {
  TrainingOptions o = test::tiny_options(folder_, "grown", 1);
  o.from = write_variant("plain", kPlain);
  const ImageSet set = read_image_set(o.images, o.labels);
  const TrainingTask task = make_task(o, set);
  const Weights base = read("plain"), grown = weights_of(task.model);
  for (const auto& [name, tensor] : base) EXPECT_TRUE(grown.at(name).equal(tensor)) << name;
  EXPECT_TRUE(grown.at("exit_heads.1.decoder_pred.weight").equal(base.at("decoder_pred.weight")));
  EXPECT_TRUE(grown.at("exit_heads.0.norm.bias").equal(base.at("norm.bias")));
  EXPECT_EQ(grown.at("uem.2.weight").abs().max().item<double>(), 0);
  EXPECT_TRUE(task.model.network->info().has_uncertainty);
}

TEST_F(FromModel, UncertaintyModulesOfAnotherFormStartAnew) {
  for (const char* form : {"map", "scalar", "pooled"}) {
    TrainingOptions o = from_base(form, Trained::Exits, 1);
    o.uncertainty = form;
    o.learning_rate = o.matrix_learning_rate = o.uncertainty_learning_rate = 0;
    train(o);
    const Model model = read_model(folder_.file(form));
    EXPECT_EQ(uncertainty_of(model.network->config_json()), form);
    const Weights before = read("base"), after = weights_of(model);
    for (const auto& [name, weight] : before) {
      if (name.starts_with("uem.")) continue;
      EXPECT_TRUE(weight.equal(after.at(name))) << form << " " << name;
    }
    const at::Tensor &old = before.at("uem.0.weight"), &anew = after.at("uem.0.weight");
    EXPECT_FALSE(old.sizes() == anew.sizes() && old.equal(anew)) << form;
  }
}

TEST_F(FromModel, RefusesAFormOfUncertaintyThatThereIsNot) {
  TrainingOptions o = from_base("strange", Trained::Exits, 1);
  o.uncertainty = "magic";
  EXPECT_THAT(message_of<InvalidArgument>([&] { train(o); }),
              HasSubstr("TrainingOptions.uncertainty: must be one of"));
}

TEST_F(FromModel, PredictionAndTimeComeFromTheModel) {
  Model base = read_model(folder_.file("base"));
  base.sampler.process.prediction = Prediction::Noise;
  base.sampler.process.schedule = find_schedule("vp-linear", {{"beta_max", 12.0}});
  base.sampler.process.time_scale = 999;
  base.sampler.process.time_shift = 3;
  base.sampler.default_plan = exit_below(0.5F);
  base.sampler.id.clear();
  write_model(base, folder_.file("noise"));
  TrainingOptions o = from_base("tuned", Trained::All, 1);
  o.from = folder_.file("noise");
  train(o);
  const Model tuned = read_model(o.model);
  EXPECT_EQ(tuned.sampler.process.prediction, Prediction::Noise);
  EXPECT_EQ(tuned.sampler.process.schedule->parameters(),
            base.sampler.process.schedule->parameters());
  EXPECT_EQ(tuned.sampler.process.time_scale, 999);
  EXPECT_EQ(tuned.sampler.process.time_shift, 3);
  EXPECT_EQ(tuned.sampler.default_plan, Plan{});  // its thresholds were found for other UEMs
  EXPECT_NE(tuned.sampler.id, read_model(o.from).sampler.id);
}

TEST_F(FromModel, RecipeLeavesOutWhatTheModelSays) {
  train(from_base("tuned", Trained::All, 1));
  const auto training = nlohmann::json::parse(read_model(folder_.file("tuned")).training);
  const nlohmann::json& recipe = training.at("recipe");
  for (const char* key : {"prediction", "schedule", "width", "depth", "heads", "patch"})
    EXPECT_FALSE(recipe.contains(key)) << key;
  EXPECT_EQ(nlohmann::json::parse(recipe.at("network").get<std::string>()),
            nlohmann::json::parse(read_model(folder_.file("base")).network->config_json()));
  EXPECT_GT(recipe.at("size"), 0);
  TrainingOptions again = parse_training_options(recipe.dump(),
                                                 from_base("again", Trained::All, 1));
  train(again);
  EXPECT_TRUE(
      read("again").at("decoder_pred.weight").equal(read("tuned").at("decoder_pred.weight")));
}

TEST_F(FromModel, ResumeGivesTheNumbersOfNoInterruption) {
  train(from_base("whole", Trained::Exits, 6));
  TrainingOptions o = from_base("parts", Trained::Exits, 6);
  train(o, [steps = 0](const TrainingProgress&) mutable { return ++steps < 3; });
  o.start = Start::Resume;
  train(o);
  const Weights whole = read("whole"), parts = read("parts");
  for (const auto& [name, tensor] : whole) EXPECT_TRUE(tensor.equal(parts.at(name))) << name;
}

TEST_F(FromModel, ResumeRefusesAnotherBase) {
  train(from_base("exits", Trained::Exits, 2));
  TrainingOptions other = test::tiny_options(folder_, "other", 1);
  other.seed = 9;
  train(other);
  TrainingOptions o = from_base("exits", Trained::Exits, 3);
  o.start = Start::Resume;
  o.from = other.model;
  EXPECT_THAT(message_of<InvalidArgument>([&] { train(o); }),
              HasSubstr("TrainingOptions.from: must be the model that"));
}

/// The tiny data's two kinds of images as a folder, whose names are in another order than the
/// model's classes, "top" and "bottom".
void write_named_folder(const test::TemporaryFolder& folder, const std::string& name,
                        const std::string& other_class) {
  for (const bool is_top : {false, true}) {
    const std::string path = folder.file(name) + "/" + (is_top ? "top" : other_class);
    std::filesystem::create_directories(path);
    Images image{.count = 1, .height = 4, .width = 4, .channels = 1};
    for (int i = 0; i < 16; ++i) image.pixels.push_back((i < 8) == is_top ? 255 : 0);
    write_png(image, path + "/image.png");
  }
}

TEST_F(FromModel, ClassesOfAFolderGoByTheModelsNames) {
  write_named_folder(folder_, "named", "bottom");
  TrainingOptions o = from_base("named-exits", Trained::Exits, 2);
  o.images = folder_.file("named");
  o.labels.clear();
  o.class_names.clear();
  const auto images = open_images(o);
  ASSERT_EQ(images->class_names, (std::vector<std::string>{"bottom", "top"}));
  EXPECT_EQ(make_task(o, *images).label_of_class, (std::vector<std::int64_t>{1, 0}));
}

TEST(ClassNames, MayHaveASlashThatAFolderCannotHave) {
  EXPECT_EQ(find_class({"shoe", "T-shirt/top"}, "T-shirt_top"), 1);
  EXPECT_EQ(find_class({"a_b", "c"}, "a/b"), 0);
  EXPECT_EQ(find_class({"shoe"}, "Shoe"), std::nullopt);
}

TEST_F(FromModel, RefusesClassesThatTheModelDoesNotKnow) {
  write_named_folder(folder_, "strange", "middle");
  TrainingOptions o = from_base("strange-exits", Trained::Exits, 2);
  o.images = folder_.file("strange");
  o.labels.clear();
  EXPECT_THAT(message_of<InvalidArgument>([&] { train(o); }),
              HasSubstr("knows by name, but have \"middle\""));
}

TEST_F(FromModel, RefusesOtherImagesAndRanges) {
  TrainingOptions o = from_base("tuned", Trained::All, 1);
  o.network =
      R"({"kind": "uvit", "image_size": 8, "channels": 1, "patch_size": 2, "width": 8, "depth": 2, "heads": 2, "label_rows": 3,
    "time_mlp": true})";
  EXPECT_THAT(message_of<ModelError>([&] { train(o); }),
              HasSubstr("must have the weights of the network to be trained"));
  Model base = read_model(folder_.file("base"));
  base.sampler.process.image_min = 0;
  write_model(base, folder_.file("half"));
  o = from_base("tuned", Trained::All, 1);
  o.from = folder_.file("half");
  EXPECT_THAT(message_of<ModelError>([&] { train(o); }), HasSubstr("image_range: must be -1 to 1"));
}

TEST_F(FromModel, RefusesToTrainExitsThatAreNotThere) {
  TrainingOptions o = test::tiny_options(folder_, "none", 1);
  o.from = write_variant("plain", kPlain);
  o.network = kPlain;
  o.trained = Trained::Exits;
  EXPECT_THAT(message_of<InvalidArgument>([&] { train(o); }),
              HasSubstr("TrainingOptions.trained: must name parameters"));
}

}  // namespace
}  // namespace adadiff::detail
