// `adadiff forward`: the network's own numbers after any block.
#include <ATen/ATen.h>

#include "cli/command.h"
#include "cli/tiny_model.h"
#include "io/npy.h"
#include "models/model_file.h"
#include "networks/label_table.h"

namespace adadiff::testing {
namespace {

class Forward : public ::testing::Test {
 protected:
  Forward() {
    write_tiny_model(model_);
    std::vector<float> x(kRows * 64);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i));
    detail::write_npy(folder_ / "x.npy", {kRows, 1, 8, 8}, x);
    detail::write_npy(folder_ / "time.npy", {kRows}, std::vector<float>{0.25F, 0.5F, 1});
    detail::write_npy(folder_ / "network_time.npy", {kRows}, std::vector<float>{250, 500, 1000});
    detail::write_npy(folder_ / "labels.npy", {kRows}, std::vector<std::int64_t>{0, 2, 3});
  }

  Outcome forward(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"forward", model_, "--input", folder_ / "x.npy",
                                         "--output", folder_ / "y.npy"});
    return run(arguments);
  }
  std::vector<float> output(const std::vector<std::string>& arguments) const {
    EXPECT_TRUE(succeeds(forward(arguments)));
    return detail::read_npy_floats(folder_ / "y.npy").values;
  }
  /// What the library says after `blocks` blocks: predictions and uncertainties.
  std::pair<at::Tensor, at::Tensor> expected(int blocks) const {
    const detail::Model model = detail::read_model(model_);
    const at::Tensor x = at::tensor(detail::read_npy_floats(folder_ / "x.npy").values)
                             .view({kRows, 1, 8, 8});
    const at::Tensor time = at::tensor({250.F, 500.F, 1000.F}),
                     labels = at::tensor({0, 2, 3}, at::kLong);
    const auto pass = model.network->new_pass({.capacity = kRows});
    const detail::LabelTable table(model.network->info());
    pass->begin({x, time, labels, table.table()});
    for (int block = 0; block < blocks; ++block) pass->run_block(0);
    at::Tensor y = at::empty_like(x), u = at::empty({kRows});
    pass->predict(at::arange(kRows), at::arange(kRows), y);
    pass->score({u});
    return {y, u};
  }

  static constexpr std::int64_t kRows = 3;
  ScratchFolder folder_;
  std::string model_ = folder_ / "tiny.safetensors";
};

TEST_F(Forward, GivesTheNetworksOutputAfterEveryBlock) {
  for (int exit = 1; exit <= 3; ++exit) {
    const std::vector<float> y = output({"--time", folder_ / "time.npy", "--class",
                                         folder_ / "labels.npy", "--exit", std::to_string(exit)});
    EXPECT_TRUE(at::equal(at::tensor(y), expected(exit).first.flatten())) << exit;
  }
}

TEST_F(Forward, RunsAllBlocksUnlessToldOtherwise) {
  EXPECT_EQ(output({"--time", folder_ / "time.npy"}),
            output({"--time", folder_ / "time.npy", "--exit", "3"}));
}

TEST_F(Forward, TakesTimeEitherWay) {
  EXPECT_EQ(output({"--time", folder_ / "time.npy"}),
            output({"--network-time", folder_ / "network_time.npy"}));
}

TEST_F(Forward, GivesUncertainties) {
  ASSERT_TRUE(succeeds(forward({"--time", folder_ / "time.npy", "--class", folder_ / "labels.npy",
                                "--exit", "2", "--uncertainty", folder_ / "u.npy"})));
  const detail::NpyArray<float> u = detail::read_npy_floats(folder_ / "u.npy");
  EXPECT_EQ(u.shape, std::vector<std::int64_t>{kRows});
  EXPECT_TRUE(at::equal(at::tensor(u.values), expected(2).second));
}

TEST_F(Forward, UsesTheNullLabelWhereNoneIsGiven) {
  detail::write_npy(folder_ / "null.npy", {1}, std::vector<std::int64_t>{3});
  EXPECT_EQ(output({"--time", folder_ / "time.npy"}),
            output({"--time", folder_ / "time.npy", "--class", folder_ / "null.npy"}));
}

TEST_F(Forward, RefusesWhatDoesNotFit) {
  detail::write_npy(folder_ / "two.npy", {2}, std::vector<float>{0, 1});
  detail::write_npy(folder_ / "late.npy", {1}, std::vector<float>{1.5F});
  detail::write_npy(folder_ / "label.npy", {1}, std::vector<std::int64_t>{4});
  EXPECT_TRUE(fails(forward({"--time", folder_ / "two.npy"}), 2,
                    "--time: must hold 1 or 3 numbers, but has the shape [2]"));
  EXPECT_TRUE(fails(forward({"--time", folder_ / "late.npy"}), 2,
                    "--time: must hold times in [0, 1], 1 = noise, but holds 1.5"));
  EXPECT_TRUE(fails(forward({"--time", folder_ / "time.npy", "--class", folder_ / "label.npy"}), 2,
                    "--class: must hold labels in [0, 3], but holds 4"));
  EXPECT_TRUE(fails(forward({"--time", folder_ / "time.npy", "--exit", "4"}), 2,
                    "--exit: must be in [1, 3], but is 4"));
  EXPECT_TRUE(fails(run({"forward", model_, "--input", folder_ / "two.npy", "--time",
                         folder_ / "time.npy", "--output", folder_ / "y.npy"}),
                    2, "--input: must hold [rows, 1, 8, 8] numbers"));
}

TEST_F(Forward, NeedsOneKindOfTime) {
  EXPECT_TRUE(fails(forward({}), 2, "--time"));
  EXPECT_TRUE(
      fails(forward({"--time", folder_ / "time.npy", "--network-time", folder_ / "time.npy"}), 2,
            "--time"));
}

/// A UNet that is conditioned on a vector of two numbers.
constexpr const char* kConditioned = R"({"network": {"kind": "unet", "image_size": 8, "channels": 1,
  "width": 4, "multipliers": [1], "blocks_per_level": 1, "heads": 1, "norm_groups": 2,
  "pooled_width": 2, "uncertainty": "none"}, "exits": [], "labels": {}})";

TEST_F(Forward, TakesVectorsAsConditions) {
  write_tiny_model(model_, kConditioned);
  EXPECT_TRUE(fails(forward({"--time", folder_ / "time.npy"}), 2,
                    "--conditions: must name a file of vectors [1 or rows, 2]"));
  detail::write_npy(folder_ / "each.npy", {kRows, 2}, std::vector<float>{0, 1, 2, 3, 2, 3});
  detail::write_npy(folder_ / "one.npy", {1, 2}, std::vector<float>{2, 3});
  const std::vector<std::string> time = {"--time", folder_ / "time.npy", "--conditions"};
  const auto with = [&](const std::string& file) {
    std::vector<std::string> all = time;
    all.push_back(folder_ / file);
    return output(all);
  };
  const std::vector<float> each = with("each.npy"), one = with("one.npy");
  EXPECT_NE(std::vector(each.begin(), each.begin() + 64),
            std::vector(one.begin(), one.begin() + 64));
  EXPECT_EQ(std::vector(each.begin() + 64, each.end()), std::vector(one.begin() + 64, one.end()));
}

TEST_F(Forward, NamesTheBlocksAfterWhichANetworkWithoutExitsPredicts) {
  write_tiny_model(model_, kConditioned);
  detail::write_npy(folder_ / "one.npy", {1, 2}, std::vector<float>{2, 3});
  EXPECT_TRUE(fails(
      forward({"--time", folder_ / "time.npy", "--conditions", folder_ / "one.npy", "--exit", "1"}),
      2, "must follow all 4 blocks"));
}

TEST_F(Forward, SampleTakesVectorsAsConditionsToo) {
  write_tiny_model(model_, kConditioned);
  detail::write_npy(folder_ / "each.npy", {2, 2}, std::vector<float>{0, 1, 2, 3});
  const auto sample = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = {"sample", model_,     "--count",
                                    "4",      "--images", folder_ / "drawn.npy"};
    all.insert(all.end(), more.begin(), more.end());
    return run(all);
  };
  EXPECT_TRUE(fails(sample({}), 2, "--conditions: must be given"));
  EXPECT_TRUE(succeeds(sample({"--conditions", folder_ / "each.npy"})));
}

}  // namespace
}  // namespace adadiff::testing
