// Our DiT against values recorded from the official code and from diffusers
// (tests/golden/record_dit.py), and what it adds to them: exits, UEMs, its description.
#include <set>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <adadiff/error.h>

#include "io/safetensors.h"
#include "networks/dit/dit.h"
#include "networks/kinds.h"
#include "support/stored_tensor.h"

namespace adadiff::detail {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;
using Json = nlohmann::json;

/// Of the largest value; float32 on both sides.
constexpr double kTolerance = 1e-5;

DiTConfig config_of(const std::string& json) {
  return parse_dit_config(JsonReader(json, "network"));
}

NetworkSettings every_exit(const DiTConfig& config) {
  return {std::vector<std::uint8_t>(static_cast<std::size_t>(config.depth), 1),
          config.label_rows - 1};
}

double relative_error(const at::Tensor& found, const at::Tensor& expected) {
  return (found - expected).abs().max().item<double>() / expected.abs().max().item<double>();
}

struct Inputs {
  at::Tensor x, time, labels;
  mutable at::Tensor entries = {};
  PassInputs view() const {
    const bool has = labels.defined();
    entries = has ? at::arange(labels.size(0), at::kLong) : at::Tensor();
    return {x, time, entries, {.labels = has ? &labels : nullptr}};
  }
};

at::Tensor predict_all(const ForwardPass& pass, const at::Tensor& like) {
  at::Tensor out = at::full_like(like, NAN);
  const at::Tensor all = at::arange(like.size(0), at::kLong);
  pass.predict(all, all, out);
  return out;
}

class DiTGolden : public testing::TestWithParam<const char*> {
 protected:
  static std::string description(const SafetensorsFile& file) {
    return Json::parse(file.metadata().at("golden")).at("network").dump();
  }

  SafetensorsFile file_ = SafetensorsFile::open(std::string(ADADIFF_TEST_DATA) + "/" + GetParam() +
                                                ".safetensors");
  DiTConfig config_ = config_of(description(file_));
  Inputs inputs_{stored_tensor(file_, "golden.x"), stored_tensor(file_, "golden.network_time"),
                 stored_tensor(file_, "golden.labels")};
  at::Tensor predictions_ = stored_tensor(file_, "golden.predictions");

  std::shared_ptr<DiT> network(const DiTConfig& config) const {
    auto made = std::make_shared<DiT>(config, every_exit(config));
    made->visit([&](const std::string& name, at::Tensor& tensor) {
      tensor.copy_(stored_tensor(file_, "net." + name));
    });
    return made;
  }
};
INSTANTIATE_TEST_SUITE_P(Cases, DiTGolden,
                         testing::Values("dit_plain", "dit_learned_variance", "dit_diffusers"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST_P(DiTGolden, PassPredictsAsRecordedAfterEveryBlock) {
  const auto made = network(config_);
  const auto pass = made->new_pass({.capacity = 3});
  pass->begin(inputs_.view());
  for (std::int64_t block = 0; block < config_.depth; ++block) {
    pass->run_block(0);
    EXPECT_LT(relative_error(predict_all(*pass, predictions_[block]), predictions_[block]),
              kTolerance)
        << "after block " << block + 1;
  }
}

TEST_P(DiTGolden, OutputsPredictAsRecordedAfterEveryBlock) {
  const auto outputs = network(config_)->outputs(inputs_.view(), at::kFloat);
  ASSERT_EQ(std::ssize(outputs), predictions_.size(0));
  for (std::size_t block = 0; block < outputs.size(); ++block) {
    // Training sees the predictions without their variances.
    const at::Tensor expected = predictions_[static_cast<std::int64_t>(block)].narrow(
        1, 0, inputs_.x.size(1));
    EXPECT_LT(relative_error(outputs[block].prediction, expected), kTolerance) << block + 1;
  }
}

TEST_P(DiTGolden, TensorsBearOfficialNames) {
  std::set<std::string> found, expected;
  network(config_)->visit([&](const std::string& name, at::Tensor&) { found.insert(name); });
  for (const TensorView& tensor : file_.tensors()) {
    if (tensor.name.starts_with("net.")) expected.insert(tensor.name.substr(4));
  }
  EXPECT_EQ(found, expected);
}

TEST(DiTNumerics, OfDiffusersAreOtherThanTheOfficialOnes) {
  const auto file = SafetensorsFile::open(std::string(ADADIFF_TEST_DATA) +
                                          "/dit_diffusers.safetensors");
  Json description = Json::parse(file.metadata().at("golden")).at("network");
  const Inputs inputs{stored_tensor(file, "golden.x"), stored_tensor(file, "golden.network_time"),
                      stored_tensor(file, "golden.labels")};
  const at::Tensor expected = stored_tensor(file, "golden.predictions")[0];
  for (const auto& [field, official] :
       std::vector<std::pair<std::string, Json>>{{"frequency_shift", 0}, {"mlp_norm_eps", 1e-6}}) {
    Json changed = description;
    changed[field] = official;
    const DiTConfig config = config_of(changed.dump());
    DiT network(config, every_exit(config));
    network.visit([&](const std::string& name, at::Tensor& tensor) {
      tensor.copy_(stored_tensor(file, "net." + name));
    });
    const auto outputs = network.outputs(inputs.view(), at::kFloat);
    EXPECT_GT(relative_error(outputs[0].prediction, expected), 1e-3) << field;
  }
}

constexpr const char* kSmall = R"({"kind": "dit", "image_size": 8, "channels": 2, "patch_size": 2,
  "width": 16, "depth": 4, "heads": 2, "label_rows": 3, "heads_per_exit": true,
  "uncertainty": "timed-map"})";

/// A small DiT whose weights are all random.
std::shared_ptr<TrainableNetwork> small_network(const std::string& json = kSmall) {
  auto network = describe_network(JsonReader(json, "network"))->make({{1, 1, 1, 1}, 2});
  auto generator = at::detail::createCPUGenerator(5);
  network->visit([&](const std::string&, at::Tensor& tensor) {
    tensor.copy_(0.3 * at::randn(tensor.sizes(), generator));
  });
  return network;
}

Inputs small_inputs(std::int64_t rows) {
  auto generator = at::detail::createCPUGenerator(6);
  return {at::randn({rows, 2, 8, 8}, generator), at::rand({rows}, generator) * 1000,
          at::randint(3, {rows}, generator, at::kLong)};
}

TEST(DiTPass, GoesOnWithTheRowsThatAreKept) {
  const auto network = small_network();
  const Inputs all = small_inputs(5);
  const at::Tensor some = at::tensor({1, 4}, at::kLong);
  const Inputs few{all.x.index_select(0, some), all.time.index_select(0, some),
                   all.labels.index_select(0, some)};
  const auto pass = network->new_pass({.capacity = 5}), alone = network->new_pass({.capacity = 5});
  pass->begin(all.view());
  alone->begin(few.view());
  pass->run_block(0);
  alone->run_block(0);
  pass->keep(some, -1);
  for (int block = 1; block < 4; ++block) {
    pass->run_block(0);
    alone->run_block(0);
    EXPECT_LT(relative_error(predict_all(*pass, few.x), predict_all(*alone, few.x)), kTolerance);
    const at::Tensor scores = at::empty({2}), scores_alone = at::empty({2});
    pass->score({scores});
    alone->score({scores_alone});
    EXPECT_TRUE(at::allclose(scores, scores_alone, 0, 1e-5));
  }
}

TEST(DiTPass, ScoresTheMeanOfWhatTrainingSees) {
  for (const char* form : {"timed-map", "map", "scalar", "pooled"}) {
    Json json = Json::parse(kSmall);
    json["uncertainty"] = form;
    const auto network = small_network(json.dump());
    const Inputs inputs = small_inputs(3);
    const auto outputs = network->outputs(inputs.view(), at::kFloat);
    const auto pass = network->new_pass({.capacity = 3});
    pass->begin(inputs.view());
    for (std::size_t block = 0; block < 4; ++block) {
      pass->run_block(0);
      const at::Tensor scores = at::empty({3});
      pass->score({scores});
      const at::Tensor expected = outputs[block].uncertainty.reshape({3, -1}).mean(1);
      EXPECT_TRUE(at::allclose(scores, expected, 0, 1e-5)) << form << " after block " << block + 1;
    }
  }
}

TEST(DiTPass, PredictsAtAnExitByItsOwnHead) {
  const auto network = small_network();
  const Inputs inputs = small_inputs(2);
  const auto before = network->outputs(inputs.view(), at::kFloat);
  network->visit([](const std::string& name, at::Tensor& tensor) {
    if (name.starts_with("exit_heads.1.")) tensor.zero_();
  });
  const auto after = network->outputs(inputs.view(), at::kFloat);
  EXPECT_EQ(after[1].prediction.abs().max().item<double>(), 0);
  for (const std::size_t block : {0u, 2u, 3u})
    EXPECT_TRUE(at::equal(before[block].prediction, after[block].prediction)) << block;
}

TEST(DiTStart, IsTheIdentityAndPredictsNothing) {
  const auto network = describe_network(JsonReader(kSmall, "network"))->make({{1, 1, 1, 1}, 2});
  network->initialise(3);
  for (const BlockOutput& output : network->outputs(small_inputs(2).view(), at::kFloat)) {
    EXPECT_EQ(output.prediction.abs().max().item<double>(), 0);
    EXPECT_TRUE(at::allclose(output.uncertainty, at::full_like(output.uncertainty, 0.5)));
  }
}

TEST(DiTStart, PlacesPatchesAsTheOfficialCode) {
  const auto file = SafetensorsFile::open(std::string(ADADIFF_TEST_DATA) +
                                          "/dit_plain.safetensors");
  const DiTConfig config = config_of(
      Json::parse(file.metadata().at("golden")).at("network").dump());
  DiT network(config, every_exit(config));
  network.initialise(1);
  network.visit([&](const std::string& name, at::Tensor& tensor) {
    if (name != "pos_embed") return;
    EXPECT_TRUE(at::allclose(tensor, stored_tensor(file, "net.pos_embed"), 0, 1e-6));
  });
}

TEST(DiTDescription, KnowsItsNetworkWithoutMakingIt) {
  for (const char* change : {"{}", R"({"heads_per_exit": false})", R"({"learned_variance": true})",
                             R"({"label_rows": 0})", R"({"uncertainty": "pooled"})",
                             R"({"uncertainty": "none"})", R"({"uncertainty": "map"})"}) {
    Json json = Json::parse(kSmall);
    json.update(Json::parse(change));
    const auto description = describe_network(JsonReader(json.dump(), "network"));
    const auto network = description->make({{1, 1, 1, 1}, -1});
    std::int64_t count = 0;
    network->visit([&](const std::string&, at::Tensor& tensor) { count += tensor.numel(); });
    EXPECT_EQ(description->parameter_count(), static_cast<double>(count)) << change;
    EXPECT_EQ(description->blocks(), network->info().blocks);
    EXPECT_EQ(description->json(), network->config_json());
    const NetworkInfo info = description->info({{1, 1, 1, 1}, -1});
    EXPECT_EQ(info.cost.block, network->info().cost.block);
    EXPECT_EQ(info.has_uncertainty, network->info().has_uncertainty);
  }
}

TEST(DiTDescription, ReadsBackWhatItWrites) {
  const auto description = describe_network(JsonReader(kSmall, "network"));
  const std::string json = description->json();
  EXPECT_EQ(describe_network(JsonReader(json, "network"))->json(), json);
}

TEST(DiTDescription, GetsHeadsAndUncertainties) {
  Json json = Json::parse(kSmall);
  json["heads_per_exit"] = false;
  json["uncertainty"] = "none";
  const auto plain = describe_network(JsonReader(json.dump(), "network"));
  EXPECT_EQ(Json::parse(plain->with_exit_heads()->json()).at("heads_per_exit"), true);
  EXPECT_EQ(plain->with_uncertainty(UncertaintyForm::Scalar)->uncertainty(),
            UncertaintyForm::Scalar);
}

void expect_refused(const std::string& change, const std::string& message) {
  Json json = Json::parse(kSmall);
  json.update(Json::parse(change));
  EXPECT_THAT([&] { describe_network(JsonReader(json.dump(), "network")); },
              ThrowsMessage<InvalidArgument>(HasSubstr(message)))
      << change;
}

TEST(DiTDescription, RefusesSizesThatDoNotFit) {
  expect_refused(R"({"image_size": 9})", "image_size must be a multiple of patch_size 2");
  expect_refused(R"({"heads": 3})", "width must be a multiple of heads 3");
  expect_refused(R"({"width": 18, "heads": 2})", "width must be a multiple of 4");
  expect_refused(R"({"depth": 256})", "depth must be an integer in [1, 255]");
  expect_refused(R"({"frequency_shift": 2})", "frequency_shift must be an integer in [0, 1]");
  expect_refused(R"({"image_size": 4096, "patch_size": 1})", "give at most 65536 tokens");
  expect_refused(R"({"qkv_bias": true})", "qkv_bias");
  expect_refused(R"({"kind": "gan"})",
                 "kind must be one of uvit, dit, unet, or a kind that the program brings "
                 "(PipelineOptions::kinds)");
}

TEST(DiTRoles, SayWhereExitsStartFrom) {
  const auto network = small_network();
  std::set<std::string> names;
  network->visit([&](const std::string& name, at::Tensor&) { names.insert(name); });
  for (const std::string& name : names) {
    const ParameterRole role = network->role(name);
    if (role.exit_source && !role.exit_source->empty()) {
      EXPECT_TRUE(names.contains(*role.exit_source)) << name;
    }
    EXPECT_EQ(role.is_uncertainty, name.starts_with("uem.")) << name;
  }
  EXPECT_TRUE(network->role("blocks.0.attn.qkv.weight").is_hidden_matrix);
  EXPECT_FALSE(network->role("blocks.0.adaLN_modulation.1.weight").is_hidden_matrix);
}

}  // namespace
}  // namespace adadiff::detail
