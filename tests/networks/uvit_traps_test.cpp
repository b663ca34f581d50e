// The golden values tell a right U-ViT from each classic mistake: the reference matches them, and
// stops doing so with any one thing wrong.
#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <cmath>

#include "networks/uvit_fixture.h"

namespace adadiff::testing {
namespace {

constexpr double kTolerance = 1e-5;  // what uvit_golden_test.cpp allows
constexpr double kVisible = 10 * kTolerance;

/// Largest error of the reference over all blocks.
double golden_error(const GoldenCase& golden, const ReferenceChoices& choices) {
  const auto found = run_reference(golden.weights, sizes_of(golden.config), choices,
                                   golden.golden.at("x"), golden.golden.at("network_time"),
                                   golden.labels());
  double worst = 0;
  for (std::size_t block = 0; block < found.predictions.size(); ++block) {
    const double error = relative_error(
        found.predictions[block],
        golden.golden.at("predictions")[static_cast<std::int64_t>(block)]);
    worst = std::isnan(error) ? error : std::max(worst, error);
  }
  return worst;
}

class Reference : public ::testing::TestWithParam<std::string> {};

TEST_P(Reference, AgreesWithOfficialAfterEveryBlock) {
  EXPECT_LT(golden_error(load_golden(GetParam()), {}), kTolerance);
}

INSTANTIATE_TEST_SUITE_P(Cases, Reference, ::testing::ValuesIn(golden_names()),
                         [](const auto& tested) { return tested.param; });

struct Trap {
  std::string name, golden;
  ReferenceChoices choices;
};

class UViTTrap : public ::testing::TestWithParam<Trap> {};

TEST_P(UViTTrap, BreaksTheGolden) {
  EXPECT_GT(golden_error(load_golden(GetParam().golden), GetParam().choices), kVisible);
}

const std::vector<Trap> kTraps = {
    {"NormEps1e6", "uvit_small_tokens", {.norm_eps = 1e-6}},
    {"TanhGelu", "uvit_plain", {.tanh_gelu = true}},
    {"SineFirst", "uvit_plain", {.sine_first = true}},
    {"DivisorHalfMinusOne", "uvit_plain", {.divisor_half_minus_one = true}},
    {"ChannelFirstPatches", "uvit_plain", {.channel_first_patches = true}},
    {"KeyBeforeQuery", "uvit_plain", {.qkv_rows = QkvRows::KeyQueryValue}},
    {"HeadsOutsideQkv", "uvit_plain", {.qkv_rows = QkvRows::HeadMajorOutside}},
    {"SkipBeforeTokens", "uvit_plain", {.skip_first = true}},
    {"SkipsInOrder", "uvit_plain", {.skips_in_order = true}},
    {"TimeBeforeLabel", "uvit_class_time_mlp", {.time_before_label = true}},
};

INSTANTIATE_TEST_SUITE_P(Cases, UViTTrap, ::testing::ValuesIn(kTraps),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace adadiff::testing
