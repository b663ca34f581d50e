// Checkpoints: round trip, refusals, and that a refused one changes nothing.
#include "training/checkpoint.h"

#include <gmock/gmock.h>

#include <ATen/ATen.h>

#include <nlohmann/json.hpp>
#include <random>

#include "io/safetensors.h"
#include "training/temporary_folder.h"
#include "training/tiny_network.h"

namespace adadiff::detail {
namespace {

using test::message_of;
using testing::HasSubstr;

/// Network, optimiser and average with values of their own.
struct Everything {
  explicit Everything(std::uint64_t seed)
      : network(test::tiny_network({}, seed)), parameters(trainable_parameters(*network)) {
    for (const at::Tensor& moment : optimiser.first_moments())
      moment.fill_(static_cast<double>(seed));
    for (const at::Tensor& moment : optimiser.second_moments())
      moment.fill_(static_cast<double>(seed) / 2);
  }
  TrainingState state() const {
    return {parameters, average.averages(), optimiser.first_moments(), optimiser.second_moments()};
  }
  bool equals(const Everything& other) const {
    const auto same = [](const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
      for (std::size_t i = 0; i < a.size(); ++i) {
        if (!a[i].detach().equal(b[i].detach())) return false;
      }
      return true;
    };
    return same(parameters.tensors, other.parameters.tensors) &&
           same(average.averages(), other.average.averages()) &&
           same(optimiser.first_moments(), other.optimiser.first_moments()) &&
           same(optimiser.second_moments(), other.optimiser.second_moments());
  }
  std::shared_ptr<TrainableNetwork> network;
  Parameters parameters;
  AdamW optimiser{parameters, {}};
  MovingAverage average{parameters, 0.9};
};

class Checkpoint : public testing::Test {
 protected:
  CheckpointFacts facts(std::int64_t step, const TrainingOptions& options = {}) const {
    return {step, 0.5, to_json(options), R"({"kind": "tiny"})"};
  }
  std::string refusal(const CheckpointFacts& now) {
    Everything other(2);
    return message_of<InvalidArgument>([&] { read_checkpoint(path_, other.state(), now); });
  }
  /// A checkpoint without tensors that says this.
  void write_facts(const std::string& json) const {
    write_safetensors(path_, {{"adadiff-checkpoint", json}}, {});
  }
  test::TemporaryFolder folder_;
  std::string path_ = folder_.file("checkpoint");
};

TEST_F(Checkpoint, ReadsBackEveryTensorAndFact) {
  const Everything written(1), read(2);
  write_checkpoint(path_, written.state(), facts(7));
  const CheckpointFacts back = read_checkpoint(path_, read.state(), facts(0));
  EXPECT_TRUE(read.equals(written));
  EXPECT_EQ(back.step, 7);
  EXPECT_EQ(back.simple_loss, 0.5);
}

TEST_F(Checkpoint, RefusesOptionsThatChangeTheNumbersByName) {
  write_checkpoint(path_, Everything(1).state(), facts(7));
  TrainingOptions options;
  options.seed = 3;
  EXPECT_THAT(refusal(facts(0, options)), HasSubstr("TrainingOptions.seed: must be as in " + path_ +
                                                    ", 0, but it is 3; keep it, or start"));
  options = {};
  options.loss = loss_mode("paper");
  EXPECT_THAT(refusal(facts(0, options)), HasSubstr("TrainingOptions.target: must be as in"));
  options = {};
  options.loss.distilled_exits = DistilledExits::One;
  EXPECT_THAT(refusal(facts(0, options)),
              HasSubstr("TrainingOptions.distilled_exits: must be as in " + path_ +
                        ", \"all\", but it is \"one\""));
}

TEST_F(Checkpoint, TakesAnotherLengthAndOtherNames) {
  write_checkpoint(path_, Everything(1).state(), facts(7));
  TrainingOptions options;
  options.steps = 8;
  options.origin = "elsewhere";
  EXPECT_EQ(refusal(facts(0, options)), "nothing thrown");
}

TEST_F(Checkpoint, RefusesALengthThatItIsBeyond) {
  write_checkpoint(path_, Everything(1).state(), facts(7));
  TrainingOptions options;
  options.steps = 6;
  EXPECT_THAT(refusal(facts(0, options)),
              HasSubstr("TrainingOptions.steps: must be at least the checkpoint's 7, but is 6"));
}

TEST_F(Checkpoint, TakesWhatAnOlderOneDoesNotSayForWhatWasDoneThen) {
  TrainingOptions options;
  options.optimiser = Optimiser::AdamW;
  options.learning_rate = options.uncertainty_learning_rate = 0.01;
  CheckpointFacts older = facts(7, options);
  auto json = nlohmann::ordered_json::parse(older.options);
  for (const char* key :
       {"optimiser", "matrix_learning_rate", "uncertainty_learning_rate", "distilled_exits"})
    json.erase(key);
  older.options = json.dump();
  write_checkpoint(path_, Everything(1).state(), older);
  EXPECT_EQ(refusal(facts(0, options)), "nothing thrown");
  options.loss.distilled_exits = DistilledExits::One;
  EXPECT_THAT(refusal(facts(0, options)),
              HasSubstr("TrainingOptions.distilled_exits: must be as in " + path_ + ", \"all\""));
  options.loss = {};
  options.uncertainty_learning_rate = 2e-4;
  EXPECT_THAT(
      refusal(facts(0, options)),
      HasSubstr("TrainingOptions.uncertainty_learning_rate: must be as in " + path_ + ", 0.01"));
  options.optimiser = Optimiser::Muon;
  EXPECT_THAT(refusal(facts(0, options)),
              HasSubstr("TrainingOptions.optimiser: must be as in " + path_ + ", \"adamw\""));
}

TEST_F(Checkpoint, RefusesOptionsThatOnlyALaterVersionKnows) {
  CheckpointFacts later = facts(7);
  later.options = R"({"magic": 5})";
  write_checkpoint(path_, Everything(1).state(), later);
  Everything other(2);
  EXPECT_THAT(message_of<ModelError>([&] { read_checkpoint(path_, other.state(), facts(0)); }),
              HasSubstr("must hold options that this build knows, but holds \"magic\""));
}

TEST_F(Checkpoint, RefusesAnotherNetwork) {
  write_checkpoint(path_, Everything(1).state(), facts(7));
  CheckpointFacts other = facts(0);
  other.network = R"({"kind": "other"})";
  EXPECT_THAT(refusal(other), HasSubstr("TrainingOptions.network: must be as in"));
}

TEST_F(Checkpoint, RefusesForeignFilesAndLeavesTheStateAlone) {
  const Everything state(2), untouched(2);
  const auto message = [&] {
    return message_of<ModelError>([&] { read_checkpoint(path_, state.state(), facts(0)); });
  };
  write_safetensors(path_, {}, {});
  EXPECT_THAT(
      message(),
      HasSubstr("must be a checkpoint of a training, but has no metadata \"adadiff-checkpoint\""));
  write_facts("{}");
  EXPECT_THAT(message(), HasSubstr(path_ + ": must have the field \"format\", but lacks it"));
  write_facts(R"({"format": 2, "step": 1, "simple_loss": 1, "options": {}, "network": {}})");
  EXPECT_THAT(message(),
              HasSubstr(path_ + ": format must be 1, the one that this build reads, but is 2"));
  EXPECT_TRUE(state.equals(untouched));
}

TEST_F(Checkpoint, RefusesDamageAnywhereAndLeavesTheStateAlone) {
  write_checkpoint(path_, Everything(1).state(), facts(7));
  const std::string whole = test::content_of(path_);
  const Everything state(2), untouched(2);
  for (const std::size_t place :
       {whole.find("simple_loss\\\":0.5") + 16, whole.size() - 3, whole.size() / 2}) {
    std::string damaged = whole;
    damaged[place] = static_cast<char>(damaged[place] ^ 1);
    test::write_content(path_, damaged);
    EXPECT_THAT(
        message_of<ModelError>([&] { read_checkpoint(path_, state.state(), facts(0)); }),
        HasSubstr("; move it away and start afresh, from the model file if its images are good"))
        << place;
  }
  EXPECT_TRUE(state.equals(untouched));
}

TEST_F(Checkpoint, RefusesMissingTensorsAndTruncatedFilesAndLeavesTheStateAlone) {
  const Everything state(2), untouched(2);
  test::TinyConfig one_block;
  one_block.blocks = 2;
  const auto network = test::tiny_network(one_block);
  const Parameters few = trainable_parameters(*network);
  const std::vector<at::Tensor>& tensors = few.tensors;
  write_checkpoint(path_, {few, tensors, tensors, tensors}, facts(1));
  EXPECT_THAT(message_of<ModelError>([&] { read_checkpoint(path_, state.state(), facts(0)); }),
              HasSubstr("blocks.2.weight"));
  write_checkpoint(path_, state.state(), facts(1));
  const std::string whole = test::content_of(path_);
  test::write_content(path_, whole.substr(0, whole.size() - 5));
  EXPECT_NE(message_of<ModelError>([&] { read_checkpoint(path_, state.state(), facts(0)); }),
            "nothing thrown");
  EXPECT_TRUE(state.equals(untouched));
}

TEST_F(Checkpoint, RefusesTensorsBesidesTheStates) {
  const Everything state(2);
  test::TinyConfig few_blocks;
  few_blocks.blocks = 2;
  const auto network = test::tiny_network(few_blocks);
  const Parameters few = trainable_parameters(*network);
  write_checkpoint(path_, state.state(), facts(1));
  EXPECT_THAT(message_of<ModelError>([&] {
                read_checkpoint(path_, {few, few.tensors, few.tensors, few.tensors}, facts(0));
              }),
              HasSubstr("is it the checkpoint of another training?"));
}

struct BadFact {
  const char* json;
  const char* message;
};

class BadFacts : public Checkpoint, public testing::WithParamInterface<BadFact> {};

TEST_P(BadFacts, AreRefusedByName) {
  const Everything state(2);
  write_facts(GetParam().json);
  EXPECT_THAT(message_of<ModelError>([&] { read_checkpoint(path_, state.state(), facts(0)); }),
              HasSubstr(path_ + ": " + GetParam().message));
}

const BadFact kBadFacts[] = {
    {"", "must be JSON, but is empty"},
    {"[]", "must be an object, but is an array of 0"},
    {R"({"format": "1"})", "format must be an integer"},
    {R"({"format": 1, "step": 18446744073709551615})",
     "step must be an integer in [0, 2147483648], but is 18446744073709551615"},
    {R"({"format": 1, "step": 2147483649})",
     "step must be an integer in [0, 2147483648], but is 2147483649"},
    {R"({"format": 1, "step": -1})", "step must be an integer in"},
    {R"({"format": 1, "step": 1.5})", "step must be an integer in"},
    {R"({"format": 1, "step": 1, "step": 2})", "must name each key once, but repeats \"step\""},
    {R"({"format": 1, "step": 1, "simple_loss": null})", "simple_loss must be a number in"},
    {R"({"format": 1, "step": 1, "simple_loss": -1})", "simple_loss must be a number in"},
    {R"({"format": 1, "step": 1, "simple_loss": 1, "options": []})",
     "options must be an object, but is an array of 0"},
    {R"({"format": 1, "step": 1, "simple_loss": 1, "options": {}, "network": "uvit"})",
     "network must be an object, but is \"uvit\""},
};

INSTANTIATE_TEST_SUITE_P(EveryFact, BadFacts, testing::ValuesIn(kBadFacts));

TEST_F(Checkpoint, RefusesDeepNesting) {
  const Everything state(2);
  constexpr std::size_t kDeep = 1'000'000;
  write_facts(R"({"format": 1, "step": 1, "simple_loss": 1, "network": {}, "options": {"seed": )" +
              std::string(kDeep, '[') + std::string(kDeep, ']') + "}}");
  EXPECT_THAT(message_of<ModelError>([&] { read_checkpoint(path_, state.state(), facts(0)); }),
              HasSubstr("must be nested at most 64 deep"));
}

TEST_F(Checkpoint, ShowsOnlyTheBeginningOfALongOption) {
  nlohmann::json options = nlohmann::json::parse(to_json(TrainingOptions{}));
  options["seed"] = std::string(100'000, 'x');
  write_facts(R"({"format": 1, "step": 1, "simple_loss": 1, "network": {}, "options": )" +
              options.dump() + "}");
  const std::string message = refusal(facts(0));
  EXPECT_THAT(message, HasSubstr("TrainingOptions.seed: must be as in"));
  EXPECT_LT(message.size(), 1000u);
}

TEST_F(Checkpoint, ReadsOrRefusesWhateverItsHeaderHolds) {
  constexpr int kMutations = 400;
  const Everything state(2);
  write_checkpoint(path_, state.state(), facts(7));
  const std::string whole = test::content_of(path_);
  const std::size_t header = 8 + static_cast<unsigned char>(whole[0]) +
                             256 * static_cast<unsigned char>(whole[1]);
  std::mt19937 random(5);
  int refused = 0;
  for (int i = 0; i < kMutations; ++i) {
    std::string damaged = whole;
    for (auto left = 1 + random() % 3; left > 0; --left)
      damaged[random() % header] = static_cast<char>(random() % 256);
    if (i % 10 == 0) damaged.resize(random() % damaged.size());
    test::write_content(path_, damaged);
    try {
      EXPECT_GE(read_checkpoint(path_, state.state(), facts(0)).step, 0);
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, kMutations / 2);
}

}  // namespace
}  // namespace adadiff::detail
