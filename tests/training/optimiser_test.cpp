// AdamW, clipping, averaging and borrowing against hand computation.
#include "training/optimiser.h"

#include <gmock/gmock.h>

#include <ATen/ATen.h>

#include <adadiff/error.h>

#include <cmath>

#include "training/learning_rate.h"
#include "training/tiny_network.h"

namespace adadiff::detail {
namespace {

/// Two parameters in double, "weight" = [1, -2] and "pos_embed" = [3], with gradients [0.3, -0.4]
/// and [1.2].
Parameters two_parameters() {
  Parameters parameters;
  parameters.names = {"weight", "pos_embed"};
  parameters.is_hidden_matrix = parameters.is_uncertainty = {false, false};
  parameters.tensors = {at::tensor({1.0, -2.0}, at::kDouble).requires_grad_(true),
                        at::tensor({3.0}, at::kDouble).requires_grad_(true)};
  parameters.tensors[0].mutable_grad() = at::tensor({0.3, -0.4}, at::kDouble);
  parameters.tensors[1].mutable_grad() = at::tensor({1.2}, at::kDouble);
  return parameters;
}

double at_index(const at::Tensor& tensor, std::int64_t i) {
  return tensor.detach()[i].item<double>();
}

/// One number's AdamW with the same gradient at every step, as the paper writes it.
double adamw(double value, double gradient, int steps, double decay) {
  double m = 0, v = 0;
  for (int s = 1; s <= steps; ++s) {
    m = 0.9 * m + 0.1 * gradient;
    v = 0.99 * v + 0.01 * gradient * gradient;
    value -= 0.1 * decay * value;
    value -= 0.1 * (m / (1 - std::pow(0.9, s))) / (std::sqrt(v / (1 - std::pow(0.99, s))) + 1e-8);
  }
  return value;
}

TEST(AdamW, StepsAsThePaperDoes) {
  const Parameters parameters = two_parameters();
  AdamW optimiser(parameters, {0.9, 0.99, 1e-8, 0.01, {}});
  for (int s = 1; s <= 3; ++s) optimiser.step(s, 0.1);
  EXPECT_NEAR(at_index(parameters.tensors[0], 0), adamw(1, 0.3, 3, 0.01), 1e-12);
  EXPECT_NEAR(at_index(parameters.tensors[0], 1), adamw(-2, -0.4, 3, 0.01), 1e-12);
}

TEST(AdamW, DecaysAllButTheNamedParameters) {
  const Parameters parameters = two_parameters();
  AdamW optimiser(parameters, {0.9, 0.99, 1e-8, 0.5, {"pos_embed"}});
  optimiser.step(1, 0.1);
  EXPECT_NEAR(at_index(parameters.tensors[0], 0), adamw(1, 0.3, 1, 0.5), 1e-12);
  EXPECT_NEAR(at_index(parameters.tensors[1], 0), adamw(3, 1.2, 1, 0), 1e-12);
}

TEST(AdamW, LeavesParametersWithoutGradientAlone) {
  const Parameters parameters = two_parameters();
  parameters.tensors[1].mutable_grad() = at::Tensor();
  AdamW optimiser(parameters, {});
  optimiser.step(1, 0.1);
  EXPECT_EQ(at_index(parameters.tensors[1], 0), 3);
}

TEST(WeightUpdate, RefusesUnknownUndecayedNames) {
  TrainingOptions options;
  options.undecayed = {"nobody"};
  try {
    const WeightUpdate update(two_parameters(), options);
    FAIL();
  } catch (const InvalidArgument& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("TrainingOptions.undecayed: must name parameters "
                                                 "of the network, but names \"nobody\""));
  }
}

/// A hidden matrix [3, 2] and a bias, with gradients.
Parameters matrix_and_bias() {
  Parameters parameters;
  parameters.names = {"matrix", "bias"};
  parameters.is_hidden_matrix = {true, false};
  parameters.is_uncertainty = {false, false};
  parameters.tensors = {at::eye(3, 2, at::kDouble).requires_grad_(true),
                        at::tensor({3.0, 1.0}, at::kDouble).requires_grad_(true)};
  parameters.tensors[0].mutable_grad() = at::tensor({0.3, -0.4, 0.1, 0.2, 0.5, 0.7}, at::kDouble)
                                             .view({3, 2});
  parameters.tensors[1].mutable_grad() = at::tensor({1.2, -0.1}, at::kDouble);
  return parameters;
}

TEST(WeightUpdate, GivesHiddenMatricesToMuonAndTheRestToAdamW) {
  const Parameters both = matrix_and_bias(), alone = matrix_and_bias();
  TrainingOptions options;
  options.optimiser = Optimiser::Muon;
  options.learning_rate = 0.1;
  options.matrix_learning_rate = 0.2;
  WeightUpdate(both, options).step(1, 0.5);
  Muon muon({alone.tensors[0]}, {.weight_decay = {options.weight_decay}});
  muon.step(0.1);
  EXPECT_TRUE(at::equal(both.tensors[0], alone.tensors[0]));
  Parameters rest = matrix_and_bias();
  rest.names.erase(rest.names.begin()), rest.tensors.erase(rest.tensors.begin());
  AdamW(rest, {0.9, 0.99, 1e-8, options.weight_decay, {}}).step(1, 0.05);
  EXPECT_TRUE(at::equal(both.tensors[1], rest.tensors[0]));
}

TEST(WeightUpdate, MovesUncertaintyModulesAtTheirOwnRate) {
  Parameters both = two_parameters();
  both.is_uncertainty = {false, true};
  TrainingOptions options;
  options.learning_rate = 0.1;
  options.uncertainty_learning_rate = 0.01;
  options.weight_decay = 0;
  WeightUpdate(both, options).step(1, 1);
  EXPECT_NEAR(at_index(both.tensors[0], 0), 1 - 0.1,
              1e-6);  // AdamW's first step is the rate, whatever the gradient
  EXPECT_NEAR(at_index(both.tensors[1], 0), 3 - 0.01, 1e-6);
}

TEST(WeightUpdate, HasNoSecondMomentOfWhatMuonMoves) {
  const Parameters parameters = matrix_and_bias();
  TrainingOptions options;
  options.optimiser = Optimiser::Muon;
  const WeightUpdate update(parameters, options);
  EXPECT_FALSE(update.second_moments()[0].defined());
  EXPECT_EQ(update.second_moments()[1].sizes(), parameters.tensors[1].sizes());
  EXPECT_EQ(update.first_moments()[0].sizes(), parameters.tensors[0].sizes());
}

TEST(WeightUpdate, GivesAllToAdamWWhereOptionsSaySo) {
  const Parameters parameters = matrix_and_bias();
  TrainingOptions options;
  options.optimiser = Optimiser::AdamW;
  EXPECT_TRUE(WeightUpdate(parameters, options).second_moments()[0].defined());
}

TEST(WeightUpdate, SparesUndecayedMatrices) {
  const Parameters parameters = matrix_and_bias();
  parameters.tensors[0].mutable_grad().zero_();
  TrainingOptions options;
  options.optimiser = Optimiser::Muon;
  options.weight_decay = 0.5;
  options.undecayed = {"matrix"};
  WeightUpdate(parameters, options).step(1, 1);
  EXPECT_TRUE(at::equal(parameters.tensors[0].detach(), at::eye(3, 2, at::kDouble)));
}

TEST(ClipGradients, ScalesTheGlobalNormDownToTheLimit) {
  const Parameters parameters = two_parameters();
  EXPECT_NEAR(clip_gradients(parameters, 0.65), 1.3, 1e-12);
  EXPECT_NEAR(at_index(parameters.tensors[0].grad(), 0), 0.15, 1e-12);
  EXPECT_NEAR(at_index(parameters.tensors[1].grad(), 0), 0.6, 1e-12);
}

TEST(ClipGradients, LeavesSmallGradientsAndNoLimitAsTheyAre) {
  for (const double limit : {2.0, 0.0}) {
    const Parameters parameters = two_parameters();
    EXPECT_NEAR(clip_gradients(parameters, limit), 1.3, 1e-12);
    EXPECT_EQ(at_index(parameters.tensors[1].grad(), 0), 1.2);
  }
}

TEST(MovingAverage, WarmsUpToItsLimit) {
  const Parameters parameters = two_parameters();
  MovingAverage average(parameters, 0.5);
  parameters.tensors[1].detach().fill_(14);
  average.update(1);
  EXPECT_NEAR(at_index(average.averages()[1], 0), 3 + (14 - 3) * (10.0 / 11), 1e-12);
  const double before = at_index(average.averages()[1], 0);
  average.update(1000);
  EXPECT_NEAR(at_index(average.averages()[1], 0), before + (14 - before) * 0.5, 1e-12);
}

TEST(BorrowedValues, ComeAndGoWithTheScope) {
  const Parameters parameters = two_parameters();
  const std::vector<at::Tensor> other = {at::tensor({7.0, 8.0}, at::kDouble),
                                         at::tensor({9.0}, at::kDouble)};
  {
    const BorrowedValues borrowed(parameters, other);
    EXPECT_EQ(at_index(parameters.tensors[0], 1), 8);
  }
  EXPECT_EQ(at_index(parameters.tensors[0], 1), -2);
  EXPECT_TRUE(parameters.tensors[0].requires_grad());
}

TEST(LearningRate, RisesLinearlyThenFallsToAHundredth) {
  TrainingOptions options;
  options.warmup = 10;
  options.steps = 1000;
  options.decay = Decay::Cosine;
  EXPECT_NEAR(learning_rate_share(0, options), 0.1, 1e-5);
  EXPECT_NEAR(learning_rate_share(500, options), 0.505, 1e-12);
  EXPECT_NEAR(learning_rate_share(1000, options), 0.01, 1e-12);
}

TEST(LearningRate, RisesInATenthOfAShortTraining) {
  TrainingOptions options;
  options.warmup = 200;
  options.steps = 100;
  options.decay = Decay::Constant;
  EXPECT_NEAR(learning_rate_share(0, options), 0.1, 1e-12);
  EXPECT_EQ(learning_rate_share(9, options), 1);
}

TEST(LearningRate, StaysWhenConstant) {
  TrainingOptions options;
  options.warmup = 0;
  options.decay = Decay::Constant;
  EXPECT_EQ(learning_rate_share(0, options), 1);
  EXPECT_EQ(learning_rate_share(options.steps, options), 1);
}

TEST(TrainableParameters, OfExitsLeaveTheBackboneWithoutGradients) {
  const auto network = test::tiny_network();
  const Parameters exits = trainable_parameters(*network, Trained::Exits);
  EXPECT_THAT(exits.names, testing::ElementsAre("blocks.0.head", "blocks.0.uem", "blocks.1.head",
                                                "blocks.1.uem", "blocks.2.uem"));
  network->visit([&](const std::string& name, at::Tensor& tensor) {
    EXPECT_EQ(tensor.requires_grad(), std::count(exits.names.begin(), exits.names.end(), name) == 1)
        << name;
  });
}

}  // namespace
}  // namespace adadiff::detail
