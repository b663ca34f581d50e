// What a U-ViT says of itself, and its first weights.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>

#include <cmath>

#include "networks/uvit_fixture.h"
#include "nn/layers.h"

namespace adadiff::testing {
namespace {

detail::UViTConfig bundled_size() {
  detail::UViTConfig config;
  config.image_size = 28;
  config.channels = 1;
  config.width = 128;
  config.depth = 8;
  config.heads = 4;
  config.label_rows = 11;
  return config;
}

TensorMap initial(std::uint64_t seed) {
  detail::UViT network(bundled_size(), {std::vector<std::uint8_t>(9, 1), 10});
  network.initialise(seed);
  TensorMap weights;
  network.visit([&](const std::string& name, at::Tensor& tensor) { weights[name] = tensor; });
  return weights;
}

TEST(UViTInfo, TellsShapesBlocksAndExits) {
  const detail::UViT network(bundled_size(), {{0, 1, 0, 1, 1, 1, 1, 1, 1}, 10});
  const auto& info = network.info();
  EXPECT_EQ(info.kind, "uvit");
  EXPECT_EQ(info.blocks, 9);
  EXPECT_EQ(info.channels, 1);
  EXPECT_EQ(info.height, 28);
  EXPECT_EQ(info.width, 28);
  EXPECT_EQ(info.null_label, 10);
  EXPECT_THAT(info.can_exit, ::testing::ElementsAre(0, 1, 0, 1, 1, 1, 1, 1, 1));
}

// Counted by hand for L = 51 tokens, T = 49 patches, D = 128, P = 16: projections 12 D^2 L,
// attention 2 L^2 D, skips 2 D^2 L.
TEST(UViTInfo, CountsMultiplyAccumulates) {
  const detail::UViT network(bundled_size(), {std::vector<std::uint8_t>(9, 1), 10});
  const NetworkCost& cost = network.info().cost;
  const double plain = 51.0 * 12 * 128 * 128 + 2.0 * 51 * 51 * 128;
  EXPECT_EQ(cost.block.front(), plain);
  EXPECT_EQ(cost.block[4], plain);
  EXPECT_EQ(cost.block[5], plain + 51.0 * 2 * 128 * 128);
  EXPECT_EQ(cost.embed, 49.0 * 16 * 128);
  EXPECT_EQ(cost.head.front(), 49.0 * 16 * 128 + 9.0 * 28 * 28);
  EXPECT_EQ(cost.score.front(), 49.0 * 16 * 128 + 16.0 * 128);
}

class ParameterCount : public ::testing::TestWithParam<detail::UViTConfig> {};

TEST_P(ParameterCount, IsTheSizeOfAllTensors) {
  detail::UViT network(
      GetParam(),
      {std::vector<std::uint8_t>(static_cast<std::size_t>(GetParam().blocks()), 1), -1});
  std::int64_t values = 0;
  network.visit([&](const std::string&, at::Tensor& tensor) { values += tensor.numel(); });
  EXPECT_EQ(GetParam().parameter_count(), static_cast<double>(values));
}

detail::UViTConfig with(void (*change)(detail::UViTConfig&)) {
  auto config = bundled_size();
  change(config);
  return config;
}

INSTANTIATE_TEST_SUITE_P(
    Options, ParameterCount,
    ::testing::Values(
        bundled_size(), with([](auto& c) { c.time_mlp = c.heads_per_exit = c.qkv_bias = true; }),
        with([](auto& c) { c.skip = c.final_conv = false; }),
        with([](auto& c) { c.uncertainty = detail::UncertaintyForm::Map; }),
        with([](auto& c) { c.uncertainty = detail::UncertaintyForm::Scalar; }), with([](auto& c) {
          c.uncertainty = detail::UncertaintyForm::Pooled, c.norm_per_exit = true;
        }),
        with([](auto& c) { c.patch_overlap = 2; }),
        with([](auto& c) { c.uncertainty = detail::UncertaintyForm::None, c.label_rows = 0; })));

TEST(UViTWeights, AreAFunctionOfTheSeed) {
  const TensorMap one = initial(1), again = initial(1), other = initial(2);
  for (const auto& [name, tensor] : one) {
    EXPECT_TRUE(at::equal(tensor, again.at(name))) << name;
    const bool constant = name.find("norm") != std::string::npos || name.starts_with("uem.") ||
                          name.find("final_layer") != std::string::npos;
    EXPECT_EQ(at::equal(tensor, other.at(name)), constant) << name;
  }
}

TEST(UViTWeights, DifferFromBlockToBlock) {
  const TensorMap weights = initial(1);
  EXPECT_FALSE(at::equal(weights.at("in_blocks.0.attn.qkv.weight"),
                         weights.at("in_blocks.1.attn.qkv.weight")));
}

TEST(UViTWeights, StartWithAFinalConvolutionThatChangesNothing) {
  auto config = bundled_size();
  config.channels = 3;
  detail::UViT network(config, {std::vector<std::uint8_t>(9, 1), 10});
  network.initialise(1);
  const Inputs inputs = random_inputs(config, 2, 1);
  network.visit([&](const std::string& name, at::Tensor& weight) {
    if (!name.ends_with("final_layer.weight")) return;
    EXPECT_TRUE(at::equal(at::conv2d(inputs.x, weight, {}, 1, 1), inputs.x)) << name;
  });
}

TEST(UViTWeights, StartWithUncertaintyOneHalf) {
  auto config = bundled_size();
  for (const auto form : {detail::UncertaintyForm::TimedMap, detail::UncertaintyForm::Pooled}) {
    config.uncertainty = form;
    detail::UViT network(config, {std::vector<std::uint8_t>(9, 1), 10});
    network.initialise(1);
    const Inputs inputs = random_inputs(config, 2, 1);
    EXPECT_TRUE(
        network.outputs(inputs.view(), at::kFloat).front().uncertainty.eq(0.5).all().item<bool>())
        << to_string(form);
  }
}

class UViTGradients : public ::testing::TestWithParam<void (*)(detail::UViTConfig&)> {};

TEST_P(UViTGradients, ReachEveryParameter) {
  auto config = bundled_size();
  config.image_size = 8;
  config.depth = 2;
  GetParam()(config);
  const auto network = make_uvit(config, random_weights(config, 1));
  network->visit([](const std::string&, at::Tensor& tensor) { tensor.requires_grad_(true); });
  at::Tensor sum = at::zeros({});
  const Inputs inputs = random_inputs(config, 2, 1);
  for (const auto& output : network->outputs(inputs.view(), at::kFloat))
    sum = sum + output.prediction.square().sum() + output.uncertainty.sum();
  sum.backward();
  network->visit([](const std::string& name, at::Tensor& tensor) {
    ASSERT_TRUE(tensor.grad().defined()) << name;
    EXPECT_GT(tensor.grad().abs().max().item<double>(), 0) << name;
  });
}

// Blocks in bfloat16, whose numbers have 8 bits: predictions differ by about a hundredth of their
// size, and nothing changes its type.
TEST(UViTPrecision, InBFloat16OutputsAreNearThoseOfFloat32) {
  const auto config = bundled_size();
  const auto network = make_uvit(config, random_weights(config, 1));
  const Inputs inputs = random_inputs(config, 2, 1);
  const auto wide = network->outputs(inputs.view(), at::kFloat),
             narrow = network->outputs(inputs.view(), at::kBFloat16);
  for (std::size_t k = 0; k < wide.size(); ++k) {
    EXPECT_EQ(narrow[k].prediction.scalar_type(), at::kFloat);
    EXPECT_EQ(narrow[k].uncertainty.scalar_type(), at::kFloat);
    const double difference = (narrow[k].prediction - wide[k].prediction).norm().item<double>() /
                              wide[k].prediction.norm().item<double>();
    EXPECT_LT(difference, 0.03) << "exit " << k + 1;
    EXPECT_GT(difference, 1e-5) << "exit " << k + 1;  // so bfloat16 it was
  }
}

TEST(UViTPrecision, InBFloat16GradientsReachTheFloat32Parameters) {
  const auto config = bundled_size();
  const auto network = make_uvit(config, random_weights(config, 1));
  network->visit([](const std::string&, at::Tensor& tensor) { tensor.requires_grad_(true); });
  const Inputs inputs = random_inputs(config, 2, 1);
  const auto gradients = [&](at::ScalarType type) {
    at::Tensor sum = at::zeros({});
    for (const auto& output : network->outputs(inputs.view(), type))
      sum = sum + output.prediction.square().sum();
    network->visit(
        [](const std::string&, at::Tensor& tensor) { tensor.mutable_grad() = at::Tensor(); });
    sum.backward();
    std::vector<at::Tensor> all;
    network->visit([&](const std::string&, at::Tensor& tensor) {
      if (tensor.grad().defined()) all.push_back(tensor.grad().flatten());
    });
    return at::cat(all);
  };
  const at::Tensor wide = gradients(at::kFloat), narrow = gradients(at::kBFloat16);
  EXPECT_EQ(narrow.scalar_type(), at::kFloat);
  EXPECT_LT((narrow - wide).norm().item<double>(), 0.05 * wide.norm().item<double>());
}

/// Of all predictions, as a number that every parameter but those of UEMs moves.
at::Tensor sum_of_squares(const detail::UViT& network, const Inputs& inputs) {
  at::Tensor sum = at::zeros({}, at::kDouble);
  for (const auto& output : network.outputs(inputs.view(), at::kDouble))
    sum = sum + output.prediction.square().sum();
  return sum;
}

// Each tensor is moved along a random direction. Central differences with h = 1e-6 err by h^2 and
// by 1e-16 / h: 1e-6 of the slope leaves room.
TEST_P(UViTGradients, AreSlopesInDouble) {
  auto config = bundled_size();
  config.image_size = 8;
  config.width = 16;
  config.depth = 2;
  GetParam()(config);
  const auto network = make_uvit(config, random_weights(config, 1));
  network->visit([](const std::string&, at::Tensor& tensor) {
    tensor = tensor.to(at::kDouble).requires_grad_(true);
  });
  Inputs inputs = random_inputs(config, 2, 1);
  inputs.x = inputs.x.to(at::kDouble);
  sum_of_squares(*network, inputs).backward();
  network->visit([&](const std::string& name, at::Tensor& tensor) {
    if (name.starts_with("uem.")) return;
    const at::NoGradGuard no_gradient;
    auto direction = at::empty(tensor.sizes());
    detail::fill_normal_(direction, 1, 5, name);
    const auto moved = [&](double by) {
      tensor.add_(direction, by);
      const double value = sum_of_squares(*network, inputs).item<double>();
      tensor.sub_(direction, by);
      return value;
    };
    const double slope = (tensor.grad() * direction).sum().item<double>(), h = 1e-6;
    EXPECT_NEAR((moved(h) - moved(-h)) / (2 * h), slope, 1e-6 * (1 + std::abs(slope))) << name;
  });
}

INSTANTIATE_TEST_SUITE_P(
    Options, UViTGradients,
    ::testing::Values(
        +[](detail::UViTConfig& c) { c.heads_per_exit = true; },
        +[](detail::UViTConfig& c) { c.norm_per_exit = true, c.patch_overlap = 1; },
        +[](detail::UViTConfig& c) { c.uncertainty = detail::UncertaintyForm::Pooled; }));

}  // namespace
}  // namespace adadiff::testing
