// A family of networks that the library does not have: trained, opened by its name, and refused
// where it is not what it says.
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <adadiff/adadiff.h>
#include <adadiff/trainable_network.h>
#include <adadiff/training.h>

#include "support/adding_network.h"
#include "training/temporary_folder.h"
#include "training/tiny_data.h"

namespace adadiff::detail::test {
namespace {

using adadiff::test::Adding;
using adadiff::test::Flaw;
using testing::ElementsAre;
using testing::HasSubstr;

class OwnFamily : public testing::Test {
 protected:
  OwnFamily() { write_tiny_data(folder_); }

  TrainingOptions options(std::int64_t steps = 3) const {
    TrainingOptions o = tiny_options(folder_, "own.safetensors", steps);
    o.class_names.clear();
    return o;
  }
  /// The kind whose networks `make` gives.
  static std::vector<NetworkKind> kinds(
      const std::function<std::shared_ptr<TrainableNetwork>()>& make) {
    return {{"adding", [](const std::string&) { return Adding::kBlocks; },
             [make](const std::string&, const NetworkSettings&) { return make(); }}};
  }
  static std::shared_ptr<Adding> adding(Flaw flaw = Flaw::None) {
    return std::make_shared<Adding>(flaw, kTinySize);
  }
  std::string refusal_to_open(const std::vector<NetworkKind>& kinds) const {
    return message_of([&] { Pipeline::open(options().model, {.kinds = kinds}); });
  }
  template <class Action>
  static std::string message_of(Action action) {
    try {
      action();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  TemporaryFolder folder_;
};

TEST_F(OwnFamily, IsTrainedAndOpenedByItsName) {
  const auto network = adding();
  train(options(), network);
  const auto pipeline = Pipeline::open(options().model, {.kinds = kinds([] { return adding(); })});
  EXPECT_EQ(pipeline.model().network, "adding");
  EXPECT_THAT(pipeline.model().exits, ElementsAre(0, 1, 2));
  const Result result = pipeline.generate({.count = 2, .solver = SolverSettings{.steps = 3}});
  EXPECT_EQ(result.images.count, 2);
}

TEST_F(OwnFamily, HasTheAveragedWeightsAfterATraining) {
  const auto network = adding();
  train(options(), network);
  const auto opened = adding();
  Pipeline::open(options().model, {.kinds = kinds([&] { return opened; })});
  std::vector<at::Tensor> here, there;
  network->visit([&](const std::string&, at::Tensor& tensor) { here.push_back(tensor); });
  opened->visit([&](const std::string&, at::Tensor& tensor) { there.push_back(tensor); });
  for (std::size_t i = 0; i < here.size(); ++i) {
    EXPECT_TRUE(at::equal(here[i], there[i])) << i;
    EXPECT_FALSE(here[i].requires_grad());
  }
}

TEST_F(OwnFamily, IsCheckedBeforeItsFirstStep) {
  EXPECT_THAT(message_of([&] { train(options(), adding(Flaw::TooFewExits)); }),
              HasSubstr("NetworkInfo.can_exit: must have 3 entries"));
  EXPECT_THAT(message_of([&] { train(options(), adding(Flaw::KeepsAllRows)); }),
              HasSubstr("must give in its passes what outputs() gives"));
  EXPECT_THAT(
      message_of([&] { train(options(), adding(Flaw::OtherKind)); }),
      HasSubstr(R"(config_json: kind must be NetworkInfo::kind, "adding", but is "other")"));
}

TEST_F(OwnFamily, IsNotStartedFromAModelFile) {
  TrainingOptions o = options();
  o.from = "model.safetensors";
  EXPECT_EQ(message_of([&] { train(o, adding()); }),
            "TrainingOptions.from: must be left out with a network that the caller made, but is "
            "given; read the weights into the network before");
  o = options();
  o.trained = Trained::Exits;
  EXPECT_EQ(message_of([&] { train(o, adding()); }),
            "TrainingOptions.trained: must be all with a network that the caller made, but is "
            "exits");
}

TEST_F(OwnFamily, IsRefusedWhereItIsNotWhatTheFileSays) {
  train(options(), adding());
  EXPECT_THAT(refusal_to_open({}),
              HasSubstr("must be one of uvit, dit, unet, or a kind that the program brings "
                        "(PipelineOptions::kinds)"));
  EXPECT_THAT(refusal_to_open({{"adding", {}, {}}}),
              HasSubstr("NetworkKind \"adding\": must have the functions blocks and make"));
  EXPECT_THAT(refusal_to_open(kinds([] { return nullptr; })), HasSubstr("but made none"));
  EXPECT_THAT(refusal_to_open(kinds([] { return adding(Flaw::NoExits); })),
              HasSubstr("must make networks with the exits and the null label of its settings"));
}

TEST_F(OwnFamily, WithoutAPassIsToldSo) {
  train(options(), adding());
  const auto pipeline = Pipeline::open(options().model,
                                       {.kinds = kinds([] { return adding(Flaw::NoPass); })});
  EXPECT_THAT(message_of([&] { pipeline.generate({.solver = SolverSettings{.steps = 2}}); }),
              HasSubstr("network \"adding\": must make a pass, but new_pass gives none"));
}

}  // namespace
}  // namespace adadiff::detail::test
