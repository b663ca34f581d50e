// What passes of every family do with their options: parts left out, number types, prepared
// weights.
#include <thread>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include <adadiff/error.h>

#include "io/json_reader.h"
#include "kernels/processor.h"
#include "networks/kinds.h"
#include "networks/label_table.h"

namespace adadiff::detail {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::int64_t kRows = 5;

struct Family {
  const char* name;
  const char* description;
  const char* attention_out;  ///< ends the names of what attention's results go through
  const char* mlp_out;        ///< the same for the MLP
};

class EveryFamily : public testing::TestWithParam<Family> {
 protected:
  std::shared_ptr<TrainableNetwork> make() const {
    auto made = describe_network(JsonReader(GetParam().description, "network"))
                    ->make({{1, 1, 1}, 3});
    auto generator = at::detail::createCPUGenerator(5);
    made->visit([&](const std::string&, at::Tensor& tensor) {
      const double width = tensor.dim() > 1 ? static_cast<double>(tensor.size(1)) : 16;
      tensor.copy_(at::randn(tensor.sizes(), generator) / std::sqrt(width));
    });
    return made;
  }
  /// Everything that a pass says after each block, as one list.
  std::vector<at::Tensor> outputs(const Network& network, const PassOptions& options,
                                  std::uint8_t left_out = 0) const {
    const LabelTable table(network.info());
    const auto pass = network.new_pass(options);
    pass->begin({x_, time_, labels_, table.table()});
    std::vector<at::Tensor> all;
    const at::Tensor every = at::arange(kRows, at::kLong);
    for (int block = 0; block < network.info().blocks; ++block) {
      pass->run_block(left_out);
      all.push_back(at::full_like(x_, NAN));
      pass->predict(every, every, all.back());
      all.push_back(at::full({kRows}, NAN));
      pass->score({all.back()});
    }
    return all;
  }
  void zero(TrainableNetwork& network, const std::string& ending) const {
    network.visit([&](const std::string& name, at::Tensor& tensor) {
      if (name.find(ending) != std::string::npos) tensor.zero_();
    });
  }

  at::Tensor x_ = at::randn({kRows, 2, 8, 8}, at::detail::createCPUGenerator(1));
  at::Tensor time_ = at::rand({kRows}, at::detail::createCPUGenerator(2)) * 1000;
  at::Tensor labels_ = at::tensor({0, 1, 2, 3, 1}, at::kLong);
};

bool are_equal(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!at::equal(a[i], b[i])) return false;
  }
  return a.size() == b.size();
}

INSTANTIATE_TEST_SUITE_P(
    Networks, EveryFamily,
    testing::Values(Family{"uvit", R"({"kind":"uvit","image_size":8,"channels":2,"patch_size":2,
                           "width":32,"depth":2,"heads":2,"label_rows":4})",
                           ".attn.proj.", ".mlp.fc2."},
                    Family{"dit", R"({"kind":"dit","image_size":8,"channels":2,"patch_size":2,
                           "width":32,"depth":3,"heads":2,"label_rows":4})",
                           ".attn.proj.", ".mlp.fc2."}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(EveryFamily, KeepsThePromisesOfNetworks) { EXPECT_NO_THROW(check_network(*make())); }

TEST_P(EveryFamily, WithoutAttentionRunsAsIfItGaveZeros) {
  const auto network = make(), silenced = make();
  zero(*silenced, GetParam().attention_out);
  const auto wanted = outputs(*silenced, {.capacity = kRows});
  EXPECT_TRUE(are_equal(outputs(*network, {.capacity = kRows}, kAttentionPart), wanted));
  EXPECT_FALSE(are_equal(outputs(*network, {.capacity = kRows}), wanted));
}

TEST_P(EveryFamily, WithoutTheMlpRunsAsIfItGaveZeros) {
  const auto network = make(), silenced = make();
  zero(*silenced, GetParam().mlp_out);
  const auto wanted = outputs(*silenced, {.capacity = kRows});
  EXPECT_TRUE(are_equal(outputs(*network, {.capacity = kRows}, kMlpPart), wanted));
  EXPECT_FALSE(are_equal(outputs(*network, {.capacity = kRows}), wanted));
}

TEST_P(EveryFamily, SaysWhatTheTwoPartsOfEachBlockCost) {
  const NetworkCost cost = make()->info().cost;
  for (std::size_t block = 0; block < cost.block.size(); ++block) {
    EXPECT_GT(cost.attention[block], 0);
    EXPECT_GT(cost.mlp[block], 0);
    EXPECT_LE(cost.attention[block] + cost.mlp[block], cost.block[block]);
  }
}

/// Bfloat16 has 8 bits of mantissa: each of some ten roundings on the way through a block is at
/// most 2^-9 of its value. Over three blocks 3 % of the largest value was the most seen; twice that
/// is allowed.
TEST_P(EveryFamily, InBfloat16SaysNearlyTheSame) {
  if (!kernels::has_bfloat16()) GTEST_SKIP() << "this processor has no products of bfloat16";
  const auto network = make();
  const auto wide = outputs(*network, {.capacity = kRows}),
             narrow = outputs(*network, {.capacity = kRows, .precision = Precision::BFloat16});
  EXPECT_FALSE(are_equal(wide, narrow));
  for (std::size_t i = 0; i < wide.size(); ++i) {
    EXPECT_EQ(narrow[i].scalar_type(), at::kFloat);
    const double error = (wide[i] - narrow[i]).abs().max().item<double>();
    EXPECT_LT(error, 0.06 * wide[i].abs().max().item<double>()) << "output " << i;
  }
}

TEST_P(EveryFamily, RefusesNumberTypesThatItDoesNotRunIn) {
  const auto network = make();
  EXPECT_THAT(
      [&] { network->new_pass({.capacity = 1, .precision = Precision::Int8}); },
      ThrowsMessage<InvalidArgument>(HasSubstr("PassOptions.precision: must be a type that the")));
}

TEST_P(EveryFamily, RefusesAnotherDeviceThanItsOwn) {
  const auto network = make();
  EXPECT_THAT(
      [&] {
        network->new_pass({.device = {Device::Kind::Cuda, 1}});
      },
      ThrowsMessage<InvalidArgument>(
          HasSubstr("PassOptions.device: must be cpu, where the network is, but is cuda:1")));
}

TEST_P(EveryFamily, RunsWithWeightsThatWereChangedSinceTheLastPass) {
  const auto network = make(), changed = make();
  const auto change = [](TrainableNetwork& of) {
    of.visit([](const std::string&, at::Tensor& tensor) { tensor.mul_(1.5); });
  };
  change(*changed);
  const auto wanted = outputs(*changed, {.capacity = kRows});
  for (const Precision precision : network->info().precisions)
    outputs(*network, {.capacity = kRows, .precision = precision});
  change(*network);
  EXPECT_TRUE(are_equal(outputs(*network, {.capacity = kRows}), wanted));
  if (!kernels::has_bfloat16()) return;
  EXPECT_TRUE(are_equal(outputs(*network, {.capacity = kRows, .precision = Precision::BFloat16}),
                        outputs(*changed, {.capacity = kRows, .precision = Precision::BFloat16})));
}

TEST_P(EveryFamily, CanBeTrainedAfterPassesUnderInferenceMode) {
  const auto network = make();
  {
    const c10::InferenceMode guard;
    outputs(*network, {.capacity = kRows});
  }
  network->visit([](const std::string&, at::Tensor& tensor) { tensor.set_requires_grad(true); });
  const LabelTable table(network->info());
  const auto all = network->outputs({x_, time_, labels_, table.table()}, at::kFloat);
  EXPECT_NO_THROW((all.back().prediction.mean() + all.back().uncertainty.mean()).backward());
}

TEST_P(EveryFamily, GivesPassesToSeveralThreadsAtOnce) {
  const auto network = make();
  const auto wanted = outputs(*network, {.capacity = kRows});
  std::vector<std::uint8_t> is_right(4, 0);
  std::vector<std::thread> threads;
  for (std::uint8_t& right : is_right) {
    threads.emplace_back([&] {
      for (int turn = 0; turn < 5; ++turn)
        right = are_equal(outputs(*network, {.capacity = kRows}), wanted) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(is_right, std::vector<std::uint8_t>(4, 1));
}

}  // namespace
}  // namespace adadiff::detail
