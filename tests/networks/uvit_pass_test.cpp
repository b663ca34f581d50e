// The resumable pass of a U-ViT: rows come, leave and do not notice each other; misuse is told.
#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <adadiff/error.h>

#include "networks/uvit_fixture.h"

namespace adadiff::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

detail::UViTConfig small_config() {
  detail::UViTConfig config;
  config.image_size = 8;
  config.channels = 2;
  config.patch_size = 2;
  config.width = 16;
  config.depth = 6;
  config.heads = 2;
  config.label_rows = 4;
  return config;
}

class UViTPass : public ::testing::Test {
 protected:
  std::unique_ptr<ForwardPass> begin(const Inputs& inputs, std::int64_t capacity = 16) const {
    auto pass = network_->new_pass({.capacity = capacity});
    pass->begin(inputs.view());
    return pass;
  }
  at::Tensor finish(ForwardPass& pass, std::int64_t rows, int done = 0) const {
    for (int block = done; block < network_->info().blocks; ++block) pass.run_block(0);
    return predict_all(pass, rows, config_);
  }
  at::Tensor alone(const std::vector<std::int64_t>& rows) const {
    return finish(*begin(inputs_.rows(rows)), static_cast<std::int64_t>(rows.size()));
  }

  detail::UViTConfig config_ = small_config();
  std::shared_ptr<detail::UViT> network_ = make_uvit(config_, random_weights(config_, 1));
  Inputs inputs_ = random_inputs(config_, 7, 2);
};

TEST_F(UViTPass, RowsKeptAtAnyBlockFinishAsIfAlone) {
  const at::Tensor expected = alone({1, 4, 6});
  for (int block = 1; block < network_->info().blocks; ++block) {
    const auto pass = begin(inputs_);
    for (int i = 0; i < block; ++i) pass->run_block(0);
    pass->keep(indices({1, 4, 6}), -1);
    EXPECT_LT(relative_error(finish(*pass, 3, block), expected), 1e-5)
        << "kept after block " << block;
  }
}

TEST_F(UViTPass, RowsThatLeaveOneByOneLeaveTheOthersAsTheyWere) {
  const auto pass = begin(inputs_);
  for (std::int64_t left = 6; left >= 1;
       --left) {  // after each of blocks 1 to 6 the first row leaves
    pass->run_block(0);
    std::vector<std::int64_t> rest(static_cast<std::size_t>(left));
    for (std::int64_t i = 0; i < left; ++i) rest[static_cast<std::size_t>(i)] = i + 1;
    pass->keep(indices(rest), -1);
  }
  EXPECT_LT(relative_error(finish(*pass, 1, 6), alone({6})), 1e-5);
}

TEST_F(UViTPass, RowsKeptBeforeTheFirstBlockFinishAsIfAlone) {
  const auto pass = begin(inputs_);
  pass->keep(indices({0, 5}), -1);
  EXPECT_LT(relative_error(finish(*pass, 2), alone({0, 5})), 1e-5);
}

TEST_F(UViTPass, KeepingAllRowsChangesNoBit) {
  const auto pass = begin(inputs_);
  pass->run_block(0);
  pass->keep(at::arange(7, at::kLong), -1);
  EXPECT_TRUE(at::equal(finish(*pass, 7, 1), finish(*begin(inputs_), 7)));
}

TEST_F(UViTPass, ScoresFollowTheRowsThatStay) {
  const auto pass = begin(inputs_);
  pass->run_block(0);
  const at::Tensor before = score_all(*pass, 7);
  pass->keep(indices({2, 3}), -1);
  EXPECT_TRUE(at::allclose(score_all(*pass, 2), before.index_select(0, indices({2, 3})), 0, 1e-6));
}

TEST_F(UViTPass, ScoringChangesNoBitOfWhatFollows) {
  const auto pass = begin(inputs_);
  for (int block = 0; block < network_->info().blocks; ++block) {
    pass->run_block(0);
    score_all(*pass, 7);
    predict_all(*pass, 7, config_);
  }
  EXPECT_TRUE(at::equal(predict_all(*pass, 7, config_), finish(*begin(inputs_), 7)));
}

TEST_F(UViTPass, RowDoesNotDependOnItsNeighboursTimesAndLabels) {
  const at::Tensor together = finish(*begin(inputs_), 7);
  for (std::int64_t row = 0; row < 7; ++row) {
    EXPECT_LT(relative_error(together.narrow(0, row, 1), alone({row})), 1e-5) << "row " << row;
  }
}

TEST_F(UViTPass, PredictsChosenRowsIntoChosenSlotsOnly) {
  const auto pass = begin(inputs_);
  pass->run_block(0);
  const at::Tensor all = predict_all(*pass, 7, config_);
  at::Tensor out = at::full({5, 2, 8, 8}, -77.0f);
  pass->predict(indices({2, 5}), indices({4, 0}), out);
  EXPECT_LT(
      relative_error(out.index_select(0, indices({4, 0})), all.index_select(0, indices({2, 5}))),
      1e-6);
  EXPECT_TRUE(out.slice(0, 1, 4).eq(-77.0f).all().item<bool>());
}

TEST_F(UViTPass, PredictsNoRowsWithoutTouchingAnything) {
  const auto pass = begin(inputs_);
  pass->run_block(0);
  at::Tensor out = at::full({1, 2, 8, 8}, -77.0f);
  pass->predict(indices({}), indices({}), out);
  EXPECT_TRUE(out.eq(-77.0f).all().item<bool>());
}

TEST_F(UViTPass, PredictsWhereAllRowsGoToOtherSlots) {
  const auto pass = begin(inputs_.rows({0, 1}));
  pass->run_block(0);
  const at::Tensor all = predict_all(*pass, 2, config_);
  at::Tensor out = at::zeros({2, 2, 8, 8});
  pass->predict(indices({0, 1}), indices({1, 0}), out);
  EXPECT_TRUE(at::equal(out, all.flip(0)));
}

TEST_F(UViTPass, AgreesWithOutputsAfterEveryBlock) {
  const auto outputs = network_->outputs(inputs_.view(), at::kFloat);
  const auto pass = begin(inputs_);
  for (const auto& output : outputs) {
    pass->run_block(0);
    EXPECT_LT(relative_error(predict_all(*pass, 7, config_), output.prediction), 1e-6);
    EXPECT_LT(relative_error(score_all(*pass, 7), output.uncertainty.flatten(1).mean(1)), 1e-6);
  }
}

TEST_F(UViTPass, BegunAgainWithOtherSizesForgetsTheLastEvaluation) {
  const auto pass = begin(inputs_.rows({0, 1, 2}), 7);
  pass->run_block(0);
  pass->run_block(0);
  pass->keep(indices({1}), -1);
  pass->begin(inputs_.view());
  EXPECT_TRUE(at::equal(finish(*pass, 7), finish(*begin(inputs_), 7)));
  pass->begin(inputs_.rows({3, 5}).view());
  EXPECT_TRUE(at::equal(finish(*pass, 2), alone({3, 5})));
}

TEST_F(UViTPass, TwoPassesOfOneNetworkDoNotMeet) {
  const auto first = begin(inputs_), second = begin(inputs_.rows({4}));
  for (int block = 0; block < network_->info().blocks; ++block) {
    first->run_block(0);
    second->run_block(0);
  }
  EXPECT_TRUE(at::equal(predict_all(*second, 1, config_), alone({4})));
}

TEST_F(UViTPass, MoreRowsThanItsCapacityAreRefused) {
  EXPECT_THAT([&] { begin(inputs_, 6); }, ThrowsMessage<InvalidArgument>(HasSubstr("R at most 6")));
}

TEST_F(UViTPass, ImagesOfAnotherShapeAreRefused) {
  inputs_.x = at::zeros({7, 2, 8, 4});
  EXPECT_THAT([&] { begin(inputs_); },
              ThrowsMessage<InvalidArgument>(HasSubstr("PassInputs.x: must be [R, 2, 8, 8]")));
}

TEST_F(UViTPass, AnotherNumberOfTimesIsRefused) {
  inputs_.time = at::zeros({3});
  EXPECT_THAT([&] { begin(inputs_); },
              ThrowsMessage<InvalidArgument>(HasSubstr("PassInputs.time")));
}

TEST_F(UViTPass, MissingLabelsAreRefused) {
  inputs_.labels = at::Tensor();
  EXPECT_THAT([&] { begin(inputs_); }, ThrowsMessage<InvalidArgument>(
                                           HasSubstr("PassInputs.conditions.labels: must be set")));
}

TEST_F(UViTPass, LabelsWithoutARowAreRefused) {
  inputs_.labels = at::full_like(inputs_.labels, 1000);
  EXPECT_THAT([&] { begin(inputs_); }, ThrowsMessage<InvalidArgument>(HasSubstr(
                                           "PassInputs.conditions.labels[0]: must be in [0, ")));
}

TEST_F(UViTPass, BlocksBeyondTheLastAreRefused) {
  const auto pass = begin(inputs_);
  finish(*pass, 7);
  EXPECT_THAT([&] { pass->run_block(0); },
              ThrowsMessage<InvalidArgument>(HasSubstr("at most 7 times")));
}

TEST_F(UViTPass, ScoreAndPredictionBeforeTheFirstBlockAreRefused) {
  const auto pass = begin(inputs_);
  EXPECT_THAT([&] { score_all(*pass, 7); },
              ThrowsMessage<InvalidArgument>(HasSubstr("ForwardPass.score")));
  EXPECT_THAT([&] { predict_all(*pass, 7, config_); },
              ThrowsMessage<InvalidArgument>(HasSubstr("ForwardPass.predict")));
}

}  // namespace
}  // namespace adadiff::testing
