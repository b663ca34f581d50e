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

/// Two parameters in double, "weight" = [1, -2] and "pos_embed" = [3], with gradients [0.3, -0.4] and [1.2].
Parameters two_parameters() {
  Parameters parameters;
  parameters.names = {"weight", "pos_embed"};
  parameters.tensors = {at::tensor({1.0, -2.0}, at::kDouble).requires_grad_(true), at::tensor({3.0}, at::kDouble).requires_grad_(true)};
  parameters.tensors[0].mutable_grad() = at::tensor({0.3, -0.4}, at::kDouble);
  parameters.tensors[1].mutable_grad() = at::tensor({1.2}, at::kDouble);
  return parameters;
}

double at_index(const at::Tensor& tensor, std::int64_t i) { return tensor.detach()[i].item<double>(); }

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

TEST(AdamW, RefusesUnknownUndecayedNames) {
  try {
    AdamW(two_parameters(), {0.9, 0.99, 1e-8, 0.5, {"nobody"}});
    FAIL();
  } catch (const InvalidArgument& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("TrainingOptions.undecayed: must name parameters of the network, but names \"nobody\""));
  }
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
  const std::vector<at::Tensor> other = {at::tensor({7.0, 8.0}, at::kDouble), at::tensor({9.0}, at::kDouble)};
  {
    const BorrowedValues borrowed(parameters, other);
    EXPECT_EQ(at_index(parameters.tensors[0], 1), 8);
  }
  EXPECT_EQ(at_index(parameters.tensors[0], 1), -2);
  EXPECT_TRUE(parameters.tensors[0].requires_grad());
}

TEST(LearningRate, RisesLinearlyThenFallsToAHundredth) {
  TrainingOptions options;
  options.learning_rate = 2;
  options.warmup = 10;
  options.steps = 1000;
  options.decay = Decay::Cosine;
  EXPECT_NEAR(learning_rate_at(0, options), 0.2, 1e-5);
  EXPECT_NEAR(learning_rate_at(500, options), 2 * 0.505, 1e-12);
  EXPECT_NEAR(learning_rate_at(1000, options), 0.02, 1e-12);
}

TEST(LearningRate, StaysWhenConstant) {
  TrainingOptions options;
  options.warmup = 0;
  options.decay = Decay::Constant;
  EXPECT_EQ(learning_rate_at(0, options), options.learning_rate);
  EXPECT_EQ(learning_rate_at(options.steps, options), options.learning_rate);
}

TEST(TrainableParameters, OfExitsLeaveTheBackboneWithoutGradients) {
  const auto network = test::tiny_network();
  const Parameters exits = trainable_parameters(*network, Trained::Exits);
  EXPECT_THAT(exits.names, testing::ElementsAre("blocks.0.head", "blocks.0.uem", "blocks.1.head", "blocks.1.uem", "blocks.2.uem"));
  network->visit([&](const std::string& name, at::Tensor& tensor) {
    EXPECT_EQ(tensor.requires_grad(), std::count(exits.names.begin(), exits.names.end(), name) == 1) << name;
  });
}

}  // namespace
}  // namespace adadiff::detail
