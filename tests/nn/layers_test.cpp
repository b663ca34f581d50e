// Layers against formulas written out plainly.
#include "nn/layers.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace adadiff::detail {
namespace {

at::Tensor numbers(at::IntArrayRef shape, const std::string& name) {
  auto tensor = at::empty(shape);
  fill_normal_(tensor, 1, 7, name);
  return tensor;
}

Linear random_linear(std::int64_t in, std::int64_t out) {
  return {numbers({out, in}, "weight"), numbers({out}, "bias")};
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

TEST(Sinusoid, IsCosinesThenSinesDividedByHalfTheWidth) {
  const auto embedding = sinusoid(at::tensor({250.5f}), 6);
  for (int i = 0; i < 3; ++i) {
    const double angle = 250.5 * std::pow(10000.0, -i / 3.0);
    EXPECT_NEAR(embedding[0][i].item<float>(), std::cos(angle), 2e-5)
        << i;  // float32 angles near 250 are known to 1.5e-5
    EXPECT_NEAR(embedding[0][3 + i].item<float>(), std::sin(angle), 2e-5) << i;
  }
}

TEST(Sinusoid, PadsOddWidthsWithZero) {
  EXPECT_EQ(sinusoid(at::tensor({3.f}), 5)[0][4].item<float>(), 0);
}

TEST(Patchify, OrdersValuesAsAPatchConvolutionsWeight) {
  const auto x = numbers({2, 3, 8, 8}, "x"), weight = numbers({5, 3, 4, 4}, "w");
  const auto by_convolution = at::conv2d(x, weight, {}, 4).flatten(2).transpose(1, 2);
  EXPECT_LT(largest_difference(at::linear(patchify(x, 4), weight.view({5, -1})), by_convolution),
            1e-4);
}

TEST(Unpatchify, ReadsValuesAsRowColumnChannel) {
  const auto tokens = at::arange(8, at::kFloat)
                          .view({1, 1, 8});  // one patch of 2x2 pixels with 2 channels
  const auto image = unpatchify(tokens, 2, 2, 2);
  EXPECT_EQ(image[0][1][0][1].item<float>(), 3);  // row 0, column 1, channel 1
  EXPECT_EQ(image[0][0][1][0].item<float>(), 4);  // row 1, column 0, channel 0
}

TEST(ApplyToPair, EqualsTheLayerOnTheConcatenation) {
  const auto layer = random_linear(16, 5);
  const auto left = numbers({2, 3, 8}, "left"), right = numbers({2, 3, 8}, "right");
  EXPECT_LT(largest_difference(apply_to_pair(layer, left, right),
                               apply(layer, at::cat({left, right}, -1))),
            1e-5);
}

TEST(ExactGelu, IsTheExactOne) {
  const float x = 1.3f;
  EXPECT_NEAR(exact_gelu(at::tensor({x})).item<float>(), x * 0.5 * std::erfc(-x / std::sqrt(2.0)),
              1e-6);
}

TEST(ExactGelu, LeavesItsInputWhereAGradientIsWanted) {
  auto x = at::tensor({1.f});
  x.requires_grad_();
  EXPECT_EQ(exact_gelu(x * 1).item<float>() != 1, x.item<float>() == 1);
}

TEST(Attention, EqualsSoftmaxOfScaledProducts) {
  const std::int64_t heads = 2, width = 8;
  const Linear qkv{numbers({3 * width, width}, "qkv"), {}};
  const auto x = numbers({2, 5, width}, "x");
  const auto projected = at::linear(x, qkv.weight);
  std::vector<at::Tensor> mixed;
  for (std::int64_t head = 0; head < heads; ++head) {
    const auto part = [&](std::int64_t which) {
      return projected.narrow(2, which * width + head * 4, 4);
    };
    mixed.push_back(
        at::softmax(at::matmul(part(0), part(1).transpose(1, 2)) / 2.0, -1).matmul(part(2)));
  }
  EXPECT_LT(largest_difference(attention(qkv, x, heads), at::cat(mixed, -1)), 1e-5);
}

class AttentionWithGradients : public testing::TestWithParam<std::int64_t> {};

// Short rows take another way through attention than long ones while training.
TEST_P(AttentionWithGradients, EqualsTheOneWithout) {
  const std::int64_t heads = 2, width = 8;
  Linear qkv{numbers({3 * width, width}, "qkv"), {}};
  const auto x = numbers({2, GetParam(), width}, "x");
  const auto plain = attention(qkv, x, heads);
  qkv.weight.requires_grad_();
  const auto with_gradients = attention(qkv, x, heads);
  EXPECT_TRUE(with_gradients.requires_grad());
  EXPECT_LT(largest_difference(with_gradients.detach(), plain), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(ShortAndLong, AttentionWithGradients, testing::Values(1, 5, 200));

// bfloat16 has 8 bits: sums of 8 products of numbers up to 3 are right to about 8 * 3 / 256.
TEST(ApplyLinear, ComputesInTheTypeOfItsInput) {
  const auto layer = random_linear(8, 3);
  const auto x = numbers({4, 8}, "x");
  const auto narrow = apply(layer, x.to(at::kBFloat16));
  EXPECT_EQ(narrow.scalar_type(), at::kBFloat16);
  EXPECT_LT(largest_difference(narrow.to(at::kFloat), apply(layer, x)), 0.1);
}

TEST(InitialValues, DependOnSeedAndNameOnly) {
  EXPECT_TRUE(at::equal(numbers({3, 4}, "a"), numbers({12}, "a").view({3, 4})));
  EXPECT_FALSE(at::equal(numbers({12}, "a"), numbers({12}, "b")));
}

TEST(InitialValues, StayInsideTheirBound) {
  auto tensor = at::empty({1000});
  fill_uniform_(tensor, 0.25, 3, "x");
  EXPECT_LE(tensor.abs().max().item<float>(), 0.25f);
  EXPECT_GT(tensor.abs().max().item<float>(), 0.2f);
  EXPECT_NEAR(tensor.mean().item<float>(), 0, 0.02);  // 4 standard errors of 0.25 / sqrt(3000)
}

}  // namespace
}  // namespace adadiff::detail
