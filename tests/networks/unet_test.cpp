// What we add to the official UNets: exits in every place, UEMs, a description, sizes.
#include <map>
#include <set>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <adadiff/error.h>

#include "networks/kinds.h"
#include "networks/unet_fixture.h"

namespace adadiff::detail {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;
using Json = nlohmann::json;

/// 12 blocks: 2 and a change of resolution down, 2, the middle, 3 up, 3.
constexpr const char* kSmall = R"({"kind": "unet", "image_size": [8, 16], "channels": 2,
  "width": 8, "multipliers": [1, 2], "attention_levels": [1], "heads": 2, "norm_groups": 4,
  "label_rows": 3, "pooled_width": 2, "heads_per_exit": true, "uncertainty": "timed-map"})";

Json changed(const std::string& change) {
  Json json = Json::parse(kSmall);
  json.update(Json::parse(change));
  return json;
}

UNetConfig small(const std::string& change = "{}") { return unet_config(changed(change).dump()); }

class EveryForm : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(UNet, EveryForm,
                         testing::Values("{}", R"({"uncertainty": "map"})",
                                         R"({"uncertainty": "scalar"})",
                                         R"({"uncertainty": "pooled"})",
                                         R"({"learned_variance": true})",
                                         R"({"resampling": "residual", "scale_shift": true})",
                                         R"({"resampling": "plain", "label_rows": 0})"));

TEST_P(EveryForm, PassesGiveWhatTrainingSeesWhicheverRowsLeave) {
  check_network(*unet_with_weights(small(GetParam())));
}

TEST_P(EveryForm, DescriptionKnowsItsNetworkWithoutMakingIt) {
  const auto description = describe_network(JsonReader(changed(GetParam()).dump(), "network"));
  const auto network = description->make(unet_settings(small(GetParam())));
  std::int64_t count = 0;
  network->visit([&](const std::string&, at::Tensor& tensor) { count += tensor.numel(); });
  EXPECT_EQ(description->parameter_count(), static_cast<double>(count));
  EXPECT_EQ(description->blocks(), network->info().blocks);
  EXPECT_EQ(description->json(), network->config_json());
  EXPECT_EQ(describe_network(JsonReader(description->json(), "network"))->json(),
            description->json());
}

TEST(UNetPass, GivesARowTheSameWhereverItsNeighboursLeave) {
  const auto network = unet_with_weights(small());
  const UNetInputs all = unet_inputs(network->config(), 4);
  for (int leave = 1; leave < network->info().blocks; ++leave) {
    const auto pass = network->new_pass({.capacity = 4}),
               alone = network->new_pass({.capacity = 1});
    const at::Tensor row = at::tensor({2}, at::kLong);
    const UNetInputs one{all.x.index_select(0, row), all.time.index_select(0, row),
                         all.labels.index_select(0, row), all.pooled.index_select(0, row)};
    pass->begin(all.view());
    alone->begin(one.view());
    for (int block = 1; block <= network->info().blocks; ++block) {
      pass->run_block(0);
      alone->run_block(0);
      if (block == leave) pass->keep(row, -1);
      if (block < leave) continue;
      EXPECT_LT(relative_error(predict_rows(*pass, network->info(), 1),
                               predict_rows(*alone, network->info(), 1)),
                2e-5)
          << "left after " << leave << ", after block " << block;
    }
  }
}

TEST(UNetPass, RefusesToBeginWithoutItsConditions) {
  const auto network = unet_with_weights(small());
  const auto pass = network->new_pass({.capacity = 2});
  const UNetInputs whole = unet_inputs(network->config(), 2);
  const auto refusal_of = [&](const UNetInputs& inputs) {
    try {
      pass->begin(inputs.view());
    } catch (const InvalidArgument& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  UNetInputs changed_inputs = whole;
  changed_inputs.pooled = at::Tensor();
  EXPECT_THAT(refusal_of(changed_inputs), HasSubstr("PassInputs.conditions.pooled: must be set"));
  changed_inputs.pooled = whole.pooled.narrow(1, 0, 1);
  EXPECT_THAT(refusal_of(changed_inputs),
              HasSubstr("PassInputs.conditions.pooled: must be [E, 2], but is [2, 1]"));
  changed_inputs.pooled = whole.pooled.narrow(0, 0, 1);
  EXPECT_THAT(refusal_of(changed_inputs), HasSubstr("PassInputs.entries[1]: must be in [0, 0]"));
  EXPECT_EQ(refusal_of(whole), "none");
}

TEST(UNetPass, RefusesToPredictWhereThereIsNoHead) {
  const auto network = unet_with_weights(small(R"({"heads_per_exit": false})"));
  const auto pass = network->new_pass({.capacity = 2});
  pass->begin(unet_inputs(network->config(), 2).view());
  pass->run_block(0);
  EXPECT_THAT([&] { predict_rows(*pass, network->info(), 2); },
              ThrowsMessage<InvalidArgument>(
                  HasSubstr("must follow all 12 blocks, but follows 1, where this UNet has no")));
}

TEST(UNetPass, HasHeadsAtEveryResolution) {
  const auto network = unet_with_weights(small());
  std::set<std::int64_t> factors;
  for (const UNetBlockShape& block : network->shapes()) factors.insert(block.factor);
  EXPECT_EQ(factors, (std::set<std::int64_t>{1, 2}));
  const auto outputs = network->outputs(unet_inputs(network->config(), 2).view(), at::kFloat);
  for (const BlockOutput& output : outputs)
    EXPECT_EQ(output.prediction.sizes(), (std::vector<std::int64_t>{2, 2, 8, 16}));
}

TEST(UNetPass, RunsInBFloat16NearFloat32) {
  const auto network = unet_with_weights(small());
  if (network->info().precisions.size() < 2) GTEST_SKIP() << "no bfloat16 products on this machine";
  const UNetInputs inputs = unet_inputs(network->config(), 2);
  std::vector<at::Tensor> predictions;
  for (const Precision precision : {Precision::Float32, Precision::BFloat16}) {
    const auto pass = network->new_pass({.capacity = 2, .precision = precision});
    pass->begin(inputs.view());
    for (int block = 0; block < network->info().blocks; ++block) pass->run_block(0);
    predictions.push_back(predict_rows(*pass, network->info(), 2));
  }
  // 8 bits of significand over a sum of some ten blocks.
  EXPECT_LT(relative_error(predictions[1], predictions[0]), 0.05);
}

TEST(UNetStart, PredictsNothingAndIsUnsure) {
  UNet network(small(), unet_settings(small()));
  network.initialise(3);
  for (const BlockOutput& output :
       network.outputs(unet_inputs(network.config(), 2).view(), at::kFloat)) {
    EXPECT_EQ(output.prediction.abs().max().item<double>(), 0);
    EXPECT_TRUE(at::allclose(output.uncertainty, at::full_like(output.uncertainty, 0.5)));
  }
}

TEST(UNetExits, AreRefusedWithoutHeadsOfTheirOwn) {
  const auto description = describe_network(
      JsonReader(changed(R"({"heads_per_exit": false})").dump(), "network"));
  EXPECT_THAT([&] { description->make(unet_settings(small())); },
              ThrowsMessage<ModelError>(HasSubstr("network.heads_per_exit: must be true")));
  EXPECT_NO_THROW(description->make(unet_settings(small(R"({"heads_per_exit": false})"))));
}

TEST(UNetRoles, SayWhereExitsStartFrom) {
  const auto network = unet_with_weights(small());
  std::map<std::string, std::vector<std::int64_t>> shapes;
  network->visit(
      [&](const std::string& name, at::Tensor& tensor) { shapes[name] = tensor.sizes().vec(); });
  int from_last_head = 0;
  for (const auto& [name, shape] : shapes) {
    const ParameterRole role = network->role(name);
    EXPECT_EQ(role.is_uncertainty, name.starts_with("uem.")) << name;
    EXPECT_EQ(role.exit_source.has_value(),
              name.starts_with("uem.") || name.starts_with("exit_heads."))
        << name;
    if (!role.exit_source || role.exit_source->empty()) continue;
    ++from_last_head;
    EXPECT_EQ(shape, shapes.at(*role.exit_source)) << name;
  }
  // The heads of full resolution but that behind the change from level 1: 2 down and 2 up, 4 each.
  EXPECT_EQ(from_last_head, 16);
  EXPECT_TRUE(network->role("input_blocks.1.0.in_layers.2.weight").is_hidden_matrix);
  EXPECT_TRUE(network->role("middle_block.1.qkv.weight").is_hidden_matrix);
  EXPECT_FALSE(network->role("middle_block.1.norm.weight").is_hidden_matrix);
  EXPECT_FALSE(network->role("input_blocks.0.0.weight").is_hidden_matrix);
}

void expect_refused(const std::string& change, const std::string& message) {
  const std::string json = changed(change).dump();
  EXPECT_THAT([&] { describe_network(JsonReader(json, "network")); },
              ThrowsMessage<InvalidArgument>(HasSubstr(message)))
      << change;
}

TEST(UNetDescription, RefusesSizesThatDoNotFit) {
  expect_refused(R"({"image_size": [8, 15]})", "image_size must be a multiple of 2");
  expect_refused(R"({"image_size": [8]})", "image_size must be a side or a list");
  expect_refused(R"({"multipliers": []})", "multipliers must have an entry per level");
  expect_refused(R"({"multipliers": [1, 65]})", "multipliers[1] must be an integer in [1, 64]");
  expect_refused(R"({"blocks_per_level": 63})", "blocks_per_level must give at most 255 blocks");
  expect_refused(R"({"attention_levels": [2]})", "must be an integer in [0, 1]");
  expect_refused(R"({"heads": 3})", "heads must divide the 16 channels of input_blocks.4.1");
  expect_refused(R"({"head_width": 5})", "head_width must divide the 16 channels");
  expect_refused(R"({"norm_groups": 3})", "norm_groups must divide the channels");
  expect_refused(R"({"width": 9, "norm_groups": 1, "heads": 1})", "width must be even");
  expect_refused(R"({"resampling": "bicubic"})", "be one of convolution, plain, residual");
  expect_refused(R"({"image_size": 4096, "attention_levels": [0]})",
                 "attention_levels must give attention over at most 65536 cells");
  expect_refused(R"({"patch_size": 2})", "patch_size");
}

}  // namespace
}  // namespace adadiff::detail
