// Our U-ViT against values recorded from the official U-ViT and AdaDiff code
// (tests/golden/record_uvit.py).
#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "networks/uvit_fixture.h"

namespace adadiff::testing {
namespace {

constexpr double kTolerance = 1e-5;  // of the largest value; float32 on both sides

class UViTGolden : public ::testing::TestWithParam<std::string> {
 protected:
  GoldenCase golden_ = load_golden(GetParam());
  std::shared_ptr<detail::UViT> network_ = make_uvit(golden_.config, to_our_names(golden_.weights));
  Inputs inputs_{golden_.golden.at("x"), golden_.golden.at("network_time"), golden_.labels()};
  at::Tensor predictions_ = golden_.golden.at("predictions");
};

TEST_P(UViTGolden, PassPredictsAsOfficialAfterEveryBlock) {
  const auto pass = network_->new_pass({.capacity = 3});
  pass->begin(inputs_.view());
  for (int block = 0; block < network_->info().blocks; ++block) {
    pass->run_block(0);
    EXPECT_LT(relative_error(predict_all(*pass, 3, golden_.config), predictions_[block]),
              kTolerance)
        << "after block " << block + 1;
  }
}

TEST_P(UViTGolden, OutputsPredictAsOfficialAfterEveryBlock) {
  const auto outputs = network_->outputs(inputs_.view(), at::kFloat);
  ASSERT_EQ(static_cast<std::int64_t>(outputs.size()), predictions_.size(0));
  for (std::size_t block = 0; block < outputs.size(); ++block) {
    EXPECT_LT(
        relative_error(outputs[block].prediction, predictions_[static_cast<std::int64_t>(block)]),
        kTolerance)
        << "after block " << block + 1;
  }
}

TEST_P(UViTGolden, TensorsBearOfficialNamesAndShapes) {
  std::map<std::string, std::vector<std::int64_t>> found, expected;
  network_->visit(
      [&](const std::string& name, at::Tensor& tensor) { found[name] = tensor.sizes().vec(); });
  for (const auto& [name, tensor] : to_our_names(golden_.weights))
    expected[name] = tensor.sizes().vec();
  EXPECT_EQ(found, expected);
}

INSTANTIATE_TEST_SUITE_P(Cases, UViTGolden, ::testing::ValuesIn(golden_names()),
                         [](const auto& tested) { return tested.param; });

class AdaDiffGolden : public ::testing::Test {
 protected:
  GoldenCase golden_ = load_golden("adadiff_map");
  std::shared_ptr<detail::UViT> network_ = make_uvit(golden_.config, to_our_names(golden_.weights));
  Inputs inputs_{golden_.golden.at("x"), golden_.golden.at("network_time"), golden_.labels()};
};

TEST_F(AdaDiffGolden, ScoreIsOneMinusOfficialCertaintyAfterEveryBlock) {
  const auto pass = network_->new_pass({.capacity = 3});
  pass->begin(inputs_.view());
  for (int block = 0; block < network_->info().blocks; ++block) {
    pass->run_block(0);
    EXPECT_TRUE(
        at::allclose(score_all(*pass, 3), golden_.golden.at("uncertainties")[block], 0, 1e-5))
        << "after block " << block + 1;
  }
}

TEST_F(AdaDiffGolden, ScoreWritesTheOfficialMapWhereOneIsAskedFor) {
  const auto pass = network_->new_pass({.capacity = 3});
  pass->begin(inputs_.view());
  at::Tensor out = at::empty({3}), map = at::empty_like(inputs_.x);
  for (int block = 0; block < network_->info().blocks; ++block) {
    pass->run_block(0);
    pass->score({out, &map});
    EXPECT_TRUE(at::allclose(map, golden_.golden.at("uncertainty_maps")[block], 0, 1e-5))
        << "after block " << block + 1;
  }
}

TEST_F(AdaDiffGolden, OutputsGiveTheOfficialMaps) {
  const auto outputs = network_->outputs(inputs_.view(), at::kFloat);
  for (std::size_t block = 0; block < outputs.size(); ++block) {
    const at::Tensor expected = golden_.golden.at(
        "uncertainty_maps")[static_cast<std::int64_t>(block)];
    EXPECT_TRUE(at::allclose(outputs[block].uncertainty, expected, 0, 1e-5))
        << "after block " << block + 1;
  }
}

}  // namespace
}  // namespace adadiff::testing
