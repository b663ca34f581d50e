// UEMs: the fused score against the map, gradients, forms.
#include "nn/uncertainty.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <adadiff/error.h>

namespace adadiff::detail {
namespace {

constexpr std::int64_t kWidth = 24, kTokens = 9, kValues = 12;

at::Tensor numbers(at::IntArrayRef shape, const std::string& name) {
  auto tensor = at::empty(shape);
  fill_normal_(tensor, 0.5, 11, name);
  return tensor;
}

UncertaintyModule random_module(UncertaintyForm form, std::uint64_t seed = 5) {
  auto module = make_uncertainty(form, {kTokens, kWidth, kWidth, kValues});
  module.visit("uem", [seed](const std::string& name, at::Tensor& tensor) {
    fill_normal_(tensor, 0.5, seed, name);
  });
  return module;
}

class EveryForm : public testing::TestWithParam<UncertaintyForm> {};

TEST_P(EveryForm, ScoresAsTheMeanOfItsMap) {
  const auto module = random_module(GetParam());
  const auto tokens = numbers({5, kTokens + 2, kWidth}, "tokens").narrow(1, 2, kTokens),
             time = numbers({5, kWidth}, "time");
  auto out = at::empty({5});
  const auto expected = uncertainty_values(module, tokens, time).flatten(1).mean(1);
  for (const bool for_kernel : {true, false}) {
    const PackedUncertainty packed({random_module(GetParam(), 6), module}, for_kernel);
    score_tokens(packed, 1, tokens, token_free_parts(packed, time), out);
    EXPECT_LT((out - expected).abs().max().item<float>(),
              3e-6f)  // the kernel's 2e-6 and ATen's own rounding
        << for_kernel;
  }
}

TEST_P(EveryForm, DependsOnTimeExactlyWhereItIsTimed) {
  const auto module = random_module(GetParam());
  const auto tokens = numbers({1, kTokens, kWidth}, "tokens");
  const auto early = uncertainty_values(module, tokens, numbers({1, kWidth}, "early"));
  const auto late = uncertainty_values(module, tokens, numbers({1, kWidth}, "late"));
  EXPECT_EQ(at::equal(early, late), GetParam() == UncertaintyForm::Map);
}

INSTANTIATE_TEST_SUITE_P(Uncertainty, EveryForm,
                         testing::Values(UncertaintyForm::Map, UncertaintyForm::TimedMap,
                                         UncertaintyForm::Scalar, UncertaintyForm::Pooled),
                         [](const auto& tested) {
                           const std::string name(to_string(tested.param));
                           return name == "timed-map" ? std::string("TimedMap") : name;
                         });

TEST(Uncertainty, IsRefusedWhereTheKernelRefusesItsArguments) {
  const PackedUncertainty packed({random_module(UncertaintyForm::TimedMap)}, true);
  const auto overlapping = numbers({3, kTokens, kWidth}, "tokens")
                               .as_strided({2, kTokens, kWidth}, {kTokens * kWidth, kWidth - 1, 1});
  auto out = at::empty({2});
  EXPECT_THROW(score_tokens(packed, 0, overlapping,
                            token_free_parts(packed, numbers({2, kWidth}, "time")), out),
               DeviceError);
}

TEST(Uncertainty, PassesNoGradientToTokens) {
  auto module = random_module(UncertaintyForm::TimedMap);
  module.weight.requires_grad_();
  auto tokens = numbers({2, kTokens, kWidth}, "tokens").requires_grad_();
  uncertainty_values(module, tokens, numbers({2, kWidth}, "time")).sum().backward();
  EXPECT_TRUE(module.weight.grad().defined());
  EXPECT_FALSE(tokens.grad().defined());
}

TEST(Uncertainty, FormNamesReadBack) {
  EXPECT_EQ(parse_uncertainty_form("timed-map", "x"), UncertaintyForm::TimedMap);
  EXPECT_THROW(parse_uncertainty_form("attention", "x"), ModelError);
}

}  // namespace
}  // namespace adadiff::detail
