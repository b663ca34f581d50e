// The "network" object of a U-ViT: what it may say, and how it is told off.
#include "networks/uvit/uvit_config.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include <adadiff/error.h>

#include "networks/registry.h"

namespace adadiff::testing {
namespace {

using detail::JsonReader;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using Json = nlohmann::json;

const Json kSmall = {{"kind", "uvit"}, {"image_size", 8}, {"channels", 1}, {"patch_size", 2},
                     {"width", 16},    {"depth", 2},      {"heads", 2}};

JsonReader reader(const Json& json) {
  return {json.dump(), "model", {.error = detail::JsonError::ModelError}};
}

/// kSmall with one field set, or taken away by a null value.
Json with(const std::string& key, const Json& value) {
  Json json = kSmall;
  value.is_null() ? void(json.erase(key)) : void(json[key] = value);
  return json;
}

TEST(UViTConfig, LeavesOptionsAtTheOfficialDefaults) {
  const auto config = detail::parse_uvit_config(reader(kSmall));
  EXPECT_EQ(config.mlp_ratio, 4);
  EXPECT_FALSE(config.qkv_bias || config.time_mlp || config.heads_per_exit || config.norm_per_exit);
  EXPECT_EQ(config.patch_overlap, 0);
  EXPECT_TRUE(config.final_conv && config.skip);
  EXPECT_EQ(config.label_rows, 0);
  EXPECT_EQ(config.uncertainty, detail::UncertaintyForm::TimedMap);
}

TEST(UViTConfig, WritesWhatItReads) {
  Json json = kSmall;
  json.update({{"mlp_ratio", 2.5},
               {"qkv_bias", true},
               {"label_rows", 3},
               {"time_mlp", true},
               {"final_conv", false},
               {"skip", false},
               {"heads_per_exit", true},
               {"norm_per_exit", false},
               {"patch_overlap", 1},
               {"uncertainty", "scalar"}});
  EXPECT_EQ(Json::parse(to_json(detail::parse_uvit_config(reader(json)))), json);
}

struct Fault {
  std::string name, key;
  Json value;
  std::string message;
};

class FaultyUViTConfig : public ::testing::TestWithParam<Fault> {};

TEST_P(FaultyUViTConfig, IsRefused) {
  const Json json = with(GetParam().key, GetParam().value);
  EXPECT_THAT([&] { detail::parse_uvit_config(reader(json)); },
              ThrowsMessage<ModelError>(HasSubstr(GetParam().message)));
}

const std::vector<Fault> kFaults = {
    {"MissingWidth", "width", nullptr, "must have the field \"width\""},
    {"UnknownKey", "dropout", 0.1, "\"dropout\""},
    {"TextForNumber", "channels", "3", "channels must be an integer in [1, 64], but is \"3\""},
    {"FractionForNumber", "heads", 2.5, "heads must be an integer"},
    {"NumberForBool", "skip", 1, "skip must be true or false"},
    {"NoChannels", "channels", 0, "channels must be an integer in [1, 64]"},
    {"HugeImage", "image_size", 5000, "image_size must be an integer in [1, 4096]"},
    {"PatchThatDoesNotDivide", "patch_size", 3, "image_size must be a multiple of patch_size 3"},
    {"HeadsThatDoNotDivide", "heads", 3, "width must be a multiple of heads 3"},
    {"OddDepth", "depth", 3, "depth must be even"},
    {"TooManyTokens", "image_size", 2048, "at most 65536 tokens"},
    {"EmptyMlp", "mlp_ratio", 0.01, "an MLP of at least one unit"},
    {"NegativeMlp", "mlp_ratio", -1, "mlp_ratio must be a number in"},
    {"UnknownUncertainty", "uncertainty", "heat",
     "must be one of none, map, timed-map, scalar, pooled"},
    {"OverlapBeyondThePatch", "patch_overlap", 1000, "patch_overlap must be an integer in [0, "},
};

INSTANTIATE_TEST_SUITE_P(Faults, FaultyUViTConfig, ::testing::ValuesIn(kFaults),
                         [](const auto& tested) { return tested.param.name; });

TEST(UViTConfig, RefusesNormsBesideHeads) {
  Json json = kSmall;
  json.update({{"heads_per_exit", true}, {"norm_per_exit", true}});
  EXPECT_THAT(
      [&] { detail::parse_uvit_config(reader(json)); },
      ThrowsMessage<ModelError>(HasSubstr("norm_per_exit must be false with heads_per_exit")));
}

TEST(Registry, RefusesMoreNumbersThanThereAreBeforeAllocating) {
  const Json huge = with("width", 16384);
  EXPECT_THAT([&] { detail::make_network(reader(huge), {.most_values = 1000}); },
              ThrowsMessage<ModelError>(HasSubstr("at most 1000 numbers here")));
}

TEST(Registry, FillsInWhatADescriptionLeavesToItsDefault) {
  const Json whole = Json::parse(detail::whole_description(kSmall.dump()));
  EXPECT_EQ(whole.at("patch_overlap"), 0);
  EXPECT_EQ(whole.at("width"), kSmall.at("width"));
  EXPECT_EQ(detail::whole_description(R"({"kind": "other"})"), R"({"kind": "other"})");
}

TEST(Registry, CountsBlocks) { EXPECT_EQ(detail::count_blocks(reader(kSmall)), 3); }

TEST(Registry, RefusesNetworksItDoesNotKnow) {
  EXPECT_THAT([] { detail::make_network(reader(with("kind", "resnet")), {}); },
              ThrowsMessage<ModelError>(AllOf(HasSubstr("uvit"), HasSubstr("\"resnet\""))));
}

TEST(Registry, OpensAllExitsButExitZeroByDefault) {
  EXPECT_THAT(detail::make_network(reader(kSmall), {})->info().can_exit, ElementsAre(0, 1, 1));
}

TEST(Registry, OpensTheExitsThatAreListed) {
  EXPECT_THAT(detail::make_network(reader(kSmall), {.exits = {0, 2}})->info().can_exit,
              ElementsAre(1, 0, 1));
}

TEST(Registry, RefusesExitsBehindTheLastBlock) {
  EXPECT_THAT([] { detail::make_network(reader(kSmall), {.exits = {3}}); },
              ThrowsMessage<ModelError>(HasSubstr("exits: must be in [0, 2]")));
}

}  // namespace
}  // namespace adadiff::testing
