// Checkpoints of other programs, from their files to the numbers that their networks compute.
#include "convert/families.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <adadiff/error.h>

#include "io/safetensors.h"
#include "models/model_description.h"
#include "models/model_tensors.h"
#include "networks/unet_fixture.h"
#include "support/stored_tensor.h"

namespace adadiff::detail {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;
using Json = nlohmann::json;

/// Of the largest value; float32 on both sides.
constexpr double kTolerance = 2e-5;

std::string data(const std::string& name) { return std::string(ADADIFF_TEST_DATA) + "/" + name; }

/// The last prediction, with the channels of variance where there are any.
at::Tensor predict(const Network& network, const UNetInputs& inputs) {
  const auto pass = network.new_pass({.capacity = inputs.x.size(0)});
  pass->begin(inputs.view());
  for (int block = 0; block < network.info().blocks; ++block) pass->run_block(0);
  return predict_rows(*pass, network.info(), inputs.x.size(0));
}

class Conversion : public testing::Test {
 protected:
  Conversion() { std::filesystem::create_directories(folder_); }
  ~Conversion() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  std::filesystem::path
      folder_ = std::filesystem::path(testing::TempDir()) /
                ("adadiff_convert_" +
                 std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
};

void expect_agrees(const Converted& made, const std::string& expected_path) {
  const auto expected = SafetensorsFile::open(expected_path);
  const UNetInputs inputs{stored_tensor(expected, "x"), stored_tensor(expected, "time"),
                          stored_tensor(expected, "labels"), at::Tensor()};
  EXPECT_LT(relative_error(predict(*made.model.network, inputs), stored_tensor(expected, "output")),
            kTolerance);
}

TEST_F(Conversion, TakesTheAveragedWeightsOfADiTTraining) {
  const Converted made = import_foreign(data("checkpoints/dit_training.pt"), "", "", "");
  EXPECT_EQ(std::string(made.family->name), "dit");
  EXPECT_EQ(made.taken_from, "ema.");
  EXPECT_TRUE(made.model.network->info().has_learned_variance);
  EXPECT_EQ(made.model.sampler.guided_channels, 3);
  expect_agrees(made, data("checkpoints/dit_training.expected.safetensors"));
}

TEST_F(Conversion, ReadsTheSameTensorsAsSiTWhereAsked) {
  const Converted made = import_foreign(data("checkpoints/dit_training.pt"), "sit", "", "");
  EXPECT_EQ(made.model.sampler.process.prediction, Prediction::FlowToData);
  EXPECT_EQ(made.model.sampler.process.time_scale, -1);
}

TEST_F(Conversion, ReadsAPipelineOfDiffusersWithItsScheduler) {
  for (const char* folder : {"checkpoints/unet_pipeline", "checkpoints/unet_pipeline/unet"}) {
    const Converted made = import_foreign(data(folder), "", "", "");
    EXPECT_EQ(std::string(made.family->name), "diffusers-unet");
    const Process& process = made.model.sampler.process;
    EXPECT_EQ(process.prediction, Prediction::Velocity);
    EXPECT_EQ(process.schedule->name(), "scaled-linear");
    EXPECT_EQ(process.time_shift, -1);
    expect_agrees(made, data("checkpoints/unet_pipeline.expected.safetensors"));
  }
}

TEST_F(Conversion, KnowsTheProcessesOfDiffusersSchedulers) {
  const auto process_with = [&](const std::string& scheduler) {
    std::filesystem::remove_all(folder_ / "pipeline");
    std::filesystem::copy(data("checkpoints/unet_pipeline"), folder_ / "pipeline",
                          std::filesystem::copy_options::recursive);
    std::ofstream(folder_ / "pipeline/scheduler/scheduler_config.json") << scheduler;
    return import_foreign(path("pipeline"), "", "", "").model.sampler.process;
  };
  const Process consistency = process_with(
      R"({"_class_name": "CMStochasticIterativeScheduler", "sigma_max": 40, "sigma_data": 0.7})");
  EXPECT_EQ(consistency.prediction, Prediction::Consistency);
  EXPECT_EQ(consistency.schedule->sigma(1), 40);
  EXPECT_EQ(consistency.time_scale, 250);
  EXPECT_EQ(consistency.data_std, 0.7);
  EXPECT_EQ(process_with(R"({"_class_name": "EDMEulerScheduler"})").prediction,
            Prediction::Preconditioned);
  EXPECT_EQ(process_with(R"({"_class_name": "FlowMatchEulerDiscreteScheduler"})").prediction,
            Prediction::Flow);
  const Process cosine = process_with(
      R"({"_class_name": "DDPMScheduler", "beta_schedule": "squaredcos_cap_v2"})");
  EXPECT_EQ(cosine.schedule->name(), "nichol-dhariwal");
  EXPECT_THAT([&] { process_with(R"({"_class_name": "ScoreSdeVeScheduler"})"); },
              ThrowsMessage<ModelError>(HasSubstr("must have the field \"prediction\"")));
  EXPECT_THAT([&] { process_with(R"({"beta_schedule": "sigmoid"})"); },
              ThrowsMessage<ModelError>(HasSubstr("beta_schedule must be one of linear")));
}

/// The checkpoint of a golden case with the official names, as ADM's code would save it.
std::string write_adm(const std::string& name, const std::string& path) {
  const auto golden = SafetensorsFile::open(data(name + ".safetensors"));
  const Json shapes = Json::parse(golden.metadata().at("golden")).at("shapes");
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto& [tensor, shape] : shapes.items()) {
    at::Tensor values = unet_weight(tensor, shape.get<std::vector<std::int64_t>>());
    if (tensor.ends_with(".qkv.weight") || tensor.ends_with(".proj_out.weight"))
      values = values.unsqueeze(-1);
    tensors.emplace_back(tensor, values);
  }
  save_tensors(path, {}, tensors);
  return Json::parse(golden.metadata().at("golden")).at("network").dump();
}

TEST_F(Conversion, RecognisesEveryFormOfADM) {
  for (const char* name :
       {"unet_adm_additive", "unet_adm_scale_shift", "unet_adm_plain_resampling"}) {
    const Json network = Json::parse(write_adm(name, path("adm.safetensors")));
    Json facts = {
        {"network",
         {{"image_size", network["image_size"]}, {"heads_outermost", network["heads_outermost"]}}}};
    for (const char* fact : {"heads", "head_width"})
      if (network.contains(fact)) facts["network"][fact] = network[fact];
    const Converted made = import_foreign(path("adm.safetensors"), "", facts.dump(), "facts.json");
    EXPECT_EQ(std::string(made.family->name), "adm") << name;
    Json found = Json::parse(made.model.network->config_json());
    for (const auto& [field, value] : network.items()) EXPECT_EQ(found[field], value) << field;
    const auto golden = SafetensorsFile::open(data(std::string(name) + ".safetensors"));
    const UNetInputs inputs{stored_tensor(golden, "golden.x"),
                            stored_tensor(golden, "golden.network_time"),
                            stored_tensor(golden, "golden.labels"), at::Tensor()};
    EXPECT_LT(relative_error(predict(*made.model.network, inputs),
                             stored_tensor(golden, "golden.output")),
              kTolerance)
        << name;
  }
}

TEST_F(Conversion, AsksForWhatTheTensorsDoNotTell) {
  write_adm("unet_adm_additive", path("adm.safetensors"));
  EXPECT_THAT([&] { import_foreign(path("adm.safetensors"), "", "", ""); },
              ThrowsMessage<ModelError>(HasSubstr("network must have the field \"image_size\"")));
  EXPECT_THAT(
      [&] {
        import_foreign(path("adm.safetensors"), "", R"({"network": {"image_size": 8}})", "f.json");
      },
      ThrowsMessage<ModelError>(HasSubstr("network must have the field \"heads\"")));
}

constexpr const char* kUViT = R"({"format": 1, "network": {"kind": "uvit", "image_size": 8,
  "channels": 2, "patch_size": 4, "width": 64, "depth": 2, "heads": 1, "label_rows": 4,
  "uncertainty": "map"}, "prediction": "noise", "schedule": {"name": "vp-linear"},
  "time": {"scale": 999, "shift": 0}, "labels": {"null": 3}})";
constexpr const char* kDiT = R"({"format": 1, "network": {"kind": "dit", "image_size": 8,
  "channels": 4, "patch_size": 2, "width": 64, "depth": 2, "heads": 1, "label_rows": 4,
  "learned_variance": true, "uncertainty": "none"}, "prediction": "noise",
  "schedule": {"name": "ddpm-linear"}, "time": {"scale": 1000, "shift": -1}})";
constexpr const char* kUNet = R"({"format": 1, "network": {"kind": "unet", "image_size": 8,
  "channels": 2, "width": 32, "multipliers": [1, 1], "blocks_per_level": 1, "label_rows": 4,
  "attention_levels": [1], "heads": 2, "uncertainty": "none"}, "exits": [], "prediction": "noise",
  "schedule": {"name": "ddpm-linear"}, "time": {"scale": 1000, "shift": -1}})";

struct RoundTrip {
  const char* family;
  const char* description;
  const char* facts;
};

void PrintTo(const RoundTrip& trip, std::ostream* out) { *out << trip.family; }

class ThereAndBack : public Conversion, public testing::WithParamInterface<RoundTrip> {};
INSTANTIATE_TEST_SUITE_P(Families, ThereAndBack,
                         testing::Values(RoundTrip{"uvit", kUViT, ""}, RoundTrip{"dit", kDiT, ""},
                                         RoundTrip{"adm", kUNet,
                                                   R"({"network": {"image_size": 8, "heads": 2,
                                  "heads_outermost": false}})"}),
                         [](const auto& tested) { return std::string(tested.param.family); });

TEST_P(ThereAndBack, GivesTheSameModel) {
  Model model = parse_description(GetParam().description, "model");
  auto generator = at::detail::createCPUGenerator(5);
  model.network->visit([&](const std::string&, at::Tensor& tensor) {
    tensor.copy_(at::randn(tensor.sizes(), generator));
  });
  write_model(model, path("model.safetensors"));
  export_foreign(path("model.safetensors"), GetParam().family, path("weights.safetensors"));
  const Converted back = import_foreign(path("weights.safetensors"), "", GetParam().facts, "facts");
  EXPECT_EQ(Json::parse(back.model.network->config_json()),
            Json::parse(model.network->config_json()));
  const auto before = parameters_of(*model.network), after = parameters_of(*back.model.network);
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_TRUE(at::equal(before[i].second, after[i].second)) << before[i].first;
}

TEST_F(Conversion, WritesTheNamesOfDiffusers) {
  const Converted made = import_foreign(data("checkpoints/unet_pipeline"), "", "", "");
  write_model(made.model, path("model.safetensors"));
  export_foreign(path("model.safetensors"), "diffusers-unet", path("weights.safetensors"));
  const ForeignWeights ours = read_foreign_weights(path("weights.safetensors"));
  const ForeignModel theirs = read_foreign_model(data("checkpoints/unet_pipeline"));
  ASSERT_EQ(ours.tensors.size(), theirs.weights.tensors.size());
  for (const auto& [name, tensor] : theirs.weights.tensors) {
    ASSERT_TRUE(ours.tensors.contains(name)) << name;
    EXPECT_TRUE(at::equal(ours.tensors.at(name).load(), tensor.load())) << name;
  }
}

TEST_F(Conversion, ReadsHalfPrecisionAndWrappedNames) {
  std::vector<TensorView> entries;
  std::vector<at::Tensor> kept;
  Model model = parse_description(kDiT, "model");
  model.network->initialise(1);
  for (const auto& [name, tensor] : parameters_of(*model.network)) {
    kept.push_back(tensor.to(at::kBFloat16));
    entries.push_back(
        {"module." + name,
         Dtype::BF16,
         tensor.sizes().vec(),
         {static_cast<const std::byte*>(kept.back().const_data_ptr()), kept.back().nbytes()}});
  }
  write_safetensors(path("half.safetensors"), {}, entries);
  const Converted made = import_foreign(path("half.safetensors"), "", "", "");
  EXPECT_EQ(made.taken_from, "module.");
  const auto found = parameters_of(*made.model.network);
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_TRUE(at::equal(found[i].second, kept[i].to(at::kFloat))) << found[i].first;
}

TEST_F(Conversion, PrefersAveragedWeightsWhateverTheirName) {
  Model model = parse_description(kDiT, "model");
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto& [name, tensor] : parameters_of(*model.network)) {
    tensors.emplace_back("net." + name, at::zeros_like(tensor));
    tensors.emplace_back("state.weights_ema." + name, at::ones_like(tensor));
  }
  save_tensors(path("both.safetensors"), {}, tensors);
  const Converted made = import_foreign(path("both.safetensors"), "", "", "");
  EXPECT_EQ(made.taken_from, "state.weights_ema.");
  for (const auto& [name, tensor] : parameters_of(*made.model.network))
    EXPECT_TRUE(at::equal(tensor, at::ones_like(tensor))) << name;
}

TEST_F(Conversion, NamesAllThatDoesNotFitAtOnce) {
  Model model = parse_description(kDiT, "model");
  auto tensors = parameters_of(*model.network);
  for (auto& [name, tensor] : tensors) {
    if (name == "blocks.1.attn.proj.bias") name = "extra.weight";
    if (name == "blocks.1.mlp.fc2.bias") tensor = at::zeros({3});
  }
  save_tensors(path("odd.safetensors"), {}, tensors);
  EXPECT_THAT(
      [&] { import_foreign(path("odd.safetensors"), "", "", ""); },
      ThrowsMessage<ModelError>(AllOf(HasSubstr("lacks \"blocks.1.attn.proj.bias\" [64]"),
                                      HasSubstr("\"blocks.1.mlp.fc2.bias\", [3] instead of [64]"),
                                      HasSubstr("also holds \"extra.weight\" [64]"))));
}

TEST_F(Conversion, SaysWhichFamiliesItKnows) {
  save_tensors(path("other.safetensors"), {}, {{"encoder.weight", at::zeros({2})}});
  EXPECT_THAT(
      [&] { import_foreign(path("other.safetensors"), "", "", ""); },
      ThrowsMessage<ModelError>(AllOf(HasSubstr("uvit, dit, sit, adm, diffusers-unet"),
                                      HasSubstr("its first tensor is \"encoder.weight\""))));
}

}  // namespace
}  // namespace adadiff::detail
