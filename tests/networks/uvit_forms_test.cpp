// Uncertainty modules and heads that no official code has, against the reference in double.
#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <adadiff/error.h>

#include "networks/uvit_fixture.h"

namespace adadiff::testing {
namespace {

using detail::UncertaintyForm;

detail::UViTConfig small_config(UncertaintyForm form) {
  detail::UViTConfig config;
  config.image_size = 8;
  config.channels = 2;
  config.patch_size = 2;
  config.width = 24;
  config.depth = 4;
  config.heads = 3;
  config.label_rows = 4;
  config.uncertainty = form;
  return config;
}

struct Compared {
  std::vector<BlockOutput> found;
  ReferenceOutputs expected;
  std::vector<at::Tensor> scores;  // [blocks] of [R]
};

Compared compare(const detail::UViTConfig& config) {
  const TensorMap weights = random_weights(config, 3);
  const auto network = make_uvit(config, weights);
  const Inputs inputs = random_inputs(config, 5, 4);
  Compared both{network->outputs(inputs.view(), at::kFloat),
                run_reference(weights, sizes_of(config), {}, inputs.x, inputs.time, inputs.labels),
                {}};
  if (config.uncertainty == UncertaintyForm::None) return both;
  const auto pass = network->new_pass({.capacity = 5});
  pass->begin(inputs.view());
  for (int block = 0; block < network->info().blocks; ++block) {
    pass->run_block(0);
    both.scores.push_back(score_all(*pass, 5));
  }
  return both;
}

class UncertaintyForms : public ::testing::TestWithParam<UncertaintyForm> {};

TEST_P(UncertaintyForms, OutputsAgreeWithReference) {
  const Compared both = compare(small_config(GetParam()));
  for (std::size_t block = 0; block < both.found.size(); ++block) {
    EXPECT_LT(relative_error(both.found[block].uncertainty, both.expected.uncertainties[block]),
              1e-5)
        << "after block " << block + 1;
  }
}

TEST_P(UncertaintyForms, ScoreIsTheMeanOfTheReference) {
  const Compared both = compare(small_config(GetParam()));
  for (std::size_t block = 0; block < both.scores.size(); ++block) {
    EXPECT_LT(relative_error(both.scores[block],
                             both.expected.uncertainties[block].reshape({5, -1}).mean(1)),
              1e-5)
        << "after block " << block + 1;
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, UncertaintyForms,
                         ::testing::Values(UncertaintyForm::Map, UncertaintyForm::TimedMap,
                                           UncertaintyForm::Scalar, UncertaintyForm::Pooled),
                         [](const auto& tested) {
                           const std::string name(detail::to_string(tested.param));
                           return name == "timed-map" ? std::string("TimedMap") : name;
                         });

TEST(UncertaintyForms, TimeMovesTimedScoresOnTheirOwn) {
  const auto config = small_config(UncertaintyForm::TimedMap);
  TensorMap weights = random_weights(config, 3);
  for (auto& [name, tensor] : weights) {
    if (name.rfind("uem.", 0) == 0 && !name.ends_with("time_weight")) tensor.zero_();
  }
  const Inputs inputs = random_inputs(config, 4, 4);
  const at::Tensor u = make_uvit(config, weights)
                           ->outputs(inputs.view(), at::kFloat)
                           .front()
                           .uncertainty.flatten(1)
                           .mean(1);
  EXPECT_GT(u.std().item<double>(), 0.01);
}

TEST(UncertaintyForms, ScoreOfNetworkWithoutModulesIsRefused) {
  const auto config = small_config(UncertaintyForm::None);
  const auto network = make_uvit(config, random_weights(config, 3));
  const auto pass = network->new_pass({.capacity = 1});
  const Inputs inputs = random_inputs(config, 1, 1);
  pass->begin(inputs.view());
  pass->run_block(0);
  EXPECT_THAT([&] { score_all(*pass, 1); },
              ::testing::ThrowsMessage<InvalidArgument>(::testing::HasSubstr("this one has none")));
  EXPECT_FALSE(network->info().has_uncertainty);
}

TEST(HeadsPerExit, EachExitUsesItsOwnAndTheEndTheLast) {
  auto config = small_config(UncertaintyForm::None);
  config.heads_per_exit = true;
  const Compared both = compare(config);
  for (std::size_t block = 0; block < both.found.size(); ++block) {
    EXPECT_LT(relative_error(both.found[block].prediction, both.expected.predictions[block]), 1e-5)
        << "after block " << block + 1;
  }
}

TEST(NormPerExit, EachExitUsesItsOwnBeforeTheSharedHead) {
  auto config = small_config(UncertaintyForm::None);
  config.norm_per_exit = true;
  const Compared both = compare(config);
  for (std::size_t block = 0; block < both.found.size(); ++block) {
    EXPECT_LT(relative_error(both.found[block].prediction, both.expected.predictions[block]), 1e-5)
        << "after block " << block + 1;
  }
}

TEST(PatchOverlap, LooksOverTheSidesOfThePatch) {
  auto config = small_config(UncertaintyForm::None);
  config.patch_overlap = 1;
  const Compared both = compare(config);
  EXPECT_LT(relative_error(both.found.back().prediction, both.expected.predictions.back()), 1e-5);
}

TEST(UncertaintyForms, ScoreOfTheRowsThatStayedIsThatOfAll) {
  for (const UncertaintyForm form : {UncertaintyForm::TimedMap, UncertaintyForm::Pooled}) {
    const auto config = small_config(form);
    const auto network = make_uvit(config, random_weights(config, 3));
    const Inputs inputs = random_inputs(config, 5, 4);
    const auto pass = network->new_pass({.capacity = 5});
    pass->begin(inputs.view());
    pass->run_block(0);
    const at::Tensor all = score_all(*pass, 5), rows = at::tensor({1, 4}, at::kLong);
    pass->keep(rows, -1);
    EXPECT_LT(relative_error(score_all(*pass, 2), all.index_select(0, rows)), 1e-6)
        << to_string(form);
  }
}

TEST(HeadsPerExit, PassPredictsWithThem) {
  auto config = small_config(UncertaintyForm::None);
  config.heads_per_exit = true;
  const auto network = make_uvit(config, random_weights(config, 3));
  const Inputs inputs = random_inputs(config, 2, 4);
  const auto outputs = network->outputs(inputs.view(), at::kFloat);
  const auto pass = network->new_pass({.capacity = 2});
  pass->begin(inputs.view());
  for (const auto& output : outputs) {
    pass->run_block(0);
    EXPECT_LT(relative_error(predict_all(*pass, 2, config), output.prediction), 1e-6);
  }
}

}  // namespace
}  // namespace adadiff::testing
