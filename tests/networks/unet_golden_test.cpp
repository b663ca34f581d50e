// Our UNet against values recorded from the official ADM code and from diffusers
// (tests/golden/record_unet.py).
#include <map>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "io/safetensors.h"
#include "networks/unet_fixture.h"
#include "support/stored_tensor.h"

namespace adadiff::detail {
namespace {

using Json = nlohmann::json;

/// Of the largest value; float32 on both sides, with convolutions summed in another order.
constexpr double kTolerance = 2e-5;
constexpr std::int64_t kStride = 7;  // of the features that are recorded

struct Golden {
  explicit Golden(const std::string& name)
      : file(SafetensorsFile::open(std::string(ADADIFF_TEST_DATA) + "/" + name + ".safetensors")),
        about(Json::parse(file.metadata().at("golden"))),
        inputs{stored_tensor(file, "golden.x"), stored_tensor(file, "golden.network_time"),
               stored_tensor(file, "golden.labels"), at::Tensor()} {}
  UNetConfig config() const { return unet_config(about.at("network").dump()); }
  at::Tensor features(std::size_t block) const {
    return stored_tensor(file, "golden.features." + std::to_string(block));
  }

  SafetensorsFile file;
  Json about;
  UNetInputs inputs;
};

class UNetGolden : public testing::TestWithParam<const char*> {
 protected:
  Golden golden_{GetParam()};
  UNetConfig config_ = golden_.config();
};
INSTANTIATE_TEST_SUITE_P(Cases, UNetGolden,
                         testing::Values("unet_adm_additive", "unet_adm_scale_shift",
                                         "unet_adm_plain_resampling", "unet_diffusers_ddpm",
                                         "unet_diffusers_options",
                                         "unet_diffusers_no_middle_attention",
                                         "unet_diffusers_consistency"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST_P(UNetGolden, FeaturesAreAsRecordedAfterEveryBlock) {
  const auto network = unet_with_weights(config_);
  const auto weights = network->prepared(Precision::Float32);
  const UNetFeatures embedded = network->embed(golden_.inputs.view());
  at::Tensor features = embedded.stem;
  std::vector<at::Tensor> skips{features};
  for (std::size_t block = 0; block < weights->blocks.size(); ++block) {
    at::Tensor skip;
    if (network->shapes()[block].takes_skip) {
      skip = skips.back();
      skips.pop_back();
    }
    features = network->run_block(weights->blocks[block], features, skip, embedded.embedding);
    if (network->shapes()[block].pushes_skip) skips.push_back(features);
    const at::Tensor expected = golden_.features(block);
    ASSERT_TRUE(expected.defined()) << "after block " << block + 1;
    EXPECT_LT(relative_error(features.flatten().slice(0, 0, std::nullopt, kStride), expected),
              kTolerance)
        << "after block " << block + 1;
  }
  EXPECT_FALSE(golden_.features(weights->blocks.size()).defined()) << "a block was not run";
}

TEST_P(UNetGolden, PassPredictsAsRecorded) {
  const auto network = unet_with_weights(config_);
  const auto pass = network->new_pass({.capacity = 2});
  pass->begin(golden_.inputs.view());
  for (std::int64_t block = 0; block < config_.blocks(); ++block) pass->run_block(0);
  EXPECT_LT(relative_error(predict_rows(*pass, network->info(), 2),
                           stored_tensor(golden_.file, "golden.output")),
            kTolerance);
}

TEST_P(UNetGolden, TensorsBearOfficialNamesAndShapes) {
  std::map<std::string, std::vector<std::int64_t>> found;
  unet_with_weights(config_)->visit(
      [&](const std::string& name, at::Tensor& tensor) { found[name] = tensor.sizes().vec(); });
  EXPECT_EQ(found, golden_.about.at("shapes").get<decltype(found)>());
}

struct Option {
  const char* golden;
  const char* change;
};

/// An option that no golden value depends on could be wrong without being noticed.
TEST(UNetNumerics, DependOnEveryOption) {
  for (const auto& [name, change] :
       std::vector<Option>{{"unet_adm_additive", R"({"heads_outermost": false})"},
                           {"unet_adm_additive", R"({"heads": 4})"},
                           {"unet_adm_additive", R"({"norm_eps": 0.1})"},
                           {"unet_adm_additive", R"({"sine_first": true})"},
                           {"unet_adm_scale_shift", R"({"head_width": 8})"},
                           {"unet_diffusers_ddpm", R"({"pads_one_side": false})"},
                           {"unet_diffusers_ddpm", R"({"frequency_shift": 0})"},
                           {"unet_diffusers_ddpm", R"({"sine_first": false})"},
                           {"unet_diffusers_ddpm", R"({"norm_groups": 4})"},
                           {"unet_diffusers_options", R"({"centers_input": false})"},
                           {"unet_diffusers_options", R"({"middle_scale": 1})"}}) {
    const Golden golden(name);
    Json network = golden.about.at("network");
    network.update(Json::parse(change));
    const auto changed = unet_with_weights(unet_config(network.dump()));
    const at::Tensor expected = stored_tensor(golden.file, "golden.output");
    const auto outputs = changed->outputs(golden.inputs.view(), at::kFloat);
    EXPECT_GT(
        relative_error(outputs.back().prediction, expected.narrow(1, 0, golden.inputs.x.size(1))),
        1e-3)
        << name << " " << change;
  }
}

}  // namespace
}  // namespace adadiff::detail
