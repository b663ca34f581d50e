// `adadiff info` and `adadiff convert`.
#include <filesystem>

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/tiny_model.h"
#include "io/safetensors.h"
#include "models/model_file.h"

namespace adadiff::testing {
namespace {

using nlohmann::json;

TEST(Info, TellsWhatAModelHolds) {
  const ScratchFolder folder;
  write_tiny_model(folder / "tiny.safetensors");
  const Outcome outcome = run({"info", folder / "tiny.safetensors"});
  ASSERT_TRUE(succeeds(outcome));
  for (const char* part : {"uvit, 3 blocks", "1 x 8 x 8", "red, green, blue", "velocity", "cosine",
                           "timed-map", "after 1, 2 blocks", "MIT"}) {
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << "\n" << outcome.out;
  }
}

TEST(Info, AnswersAsJson) {
  const ScratchFolder folder;
  write_tiny_model(folder / "tiny.safetensors", R"({"training": {"steps": 5}})");
  const json answer = json::parse(run({"info", folder / "tiny.safetensors", "--json"}).out);
  EXPECT_EQ(answer.at("blocks"), 3);
  EXPECT_EQ(answer.at("exits"), json({1, 2}));
  EXPECT_EQ(answer.at("image").at("width"), 8);
  EXPECT_GT(answer.at("parameters"), 1000);
  EXPECT_EQ(answer.at("training").at("steps"), 5);
}

TEST(Info, RefusesFilesThatAreNoModels) {
  const ScratchFolder folder;
  write_bytes(folder / "empty", "");
  write_bytes(folder / "text", "certainly no safetensors file");
  EXPECT_TRUE(fails(run({"info", folder / "missing"}), 1, "missing"));
  EXPECT_TRUE(fails(run({"info", folder / "empty"}), 1, "empty"));
  EXPECT_TRUE(fails(run({"info", folder / "text"}), 1, "text"));
  EXPECT_TRUE(fails(run({"info", folder / "."}), 1, "adadiff info: "));
}

TEST(Convert, GivesAnOfficialStateDictBackAsItWas) {
  const ScratchFolder folder;
  const std::string description =
      R"({"network": {"kind": "uvit", "image_size": 8, "channels": 1, "patch_size": 4, "width": 16, "depth": 2,
    "heads": 2, "label_rows": 4, "uncertainty": "map"}})";
  write_tiny_model(folder / "tiny.safetensors", description);
  ASSERT_TRUE(succeeds(run({"convert", "--to", "uvit", folder / "tiny.safetensors", "-o",
                            folder / "weights.safetensors"})));
  write_bytes(
      folder / "net.json",
      R"({"format": 1, "prediction": "velocity", "schedule": {"name": "cosine"}, "time": {"scale": 1000, "shift": 0},
    "labels": {"null": 3}, "network": {"kind": "uvit", "image_size": 8, "channels": 1, "patch_size": 4, "width": 16,
    "depth": 2, "heads": 2, "label_rows": 4, "uncertainty": "map"}})");
  ASSERT_TRUE(succeeds(run({"convert", "--from", "uvit", folder / "weights.safetensors", "--config",
                            folder / "net.json", "-o", folder / "back.safetensors"})));
  ASSERT_TRUE(succeeds(run({"convert", "--to", "uvit", folder / "back.safetensors", "-o",
                            folder / "again.safetensors"})));
  EXPECT_EQ(read_bytes(folder / "weights.safetensors"), read_bytes(folder / "again.safetensors"));
}

TEST(Convert, RefusesWhatTheOfficialCodeCannotHold) {
  const ScratchFolder folder;
  write_tiny_model(folder / "tiny.safetensors");
  EXPECT_TRUE(
      fails(run({"convert", "--to", "uvit", folder / "tiny.safetensors", "-o", folder / "out"}), 1,
            "timed-map"));
  EXPECT_EQ(folder.files(), std::vector<std::string>{"tiny.safetensors"});
}

TEST(Convert, GivesAModelAnotherDefaultPlan) {
  const ScratchFolder folder;
  write_tiny_model(folder / "tiny.safetensors");
  write_bytes(folder / "plan.json", R"({"below": 1})");
  write_bytes(folder / "long.json", R"({"below": [0, 0.1, 0.1, 0.1, 0.1]})");
  ASSERT_TRUE(succeeds(run({"convert", "--default-plan", folder / "plan.json",
                            folder / "tiny.safetensors", "-o", folder / "eager.safetensors"})));
  const json report = json::parse(
      run({"sample", folder / "eager.safetensors", "--count", "1", "--json"}).out);
  EXPECT_EQ(report.at("mean_exit_depth"), 1.0);
  EXPECT_TRUE(fails(run({"convert", "--default-plan", folder / "long.json",
                         folder / "tiny.safetensors", "-o", folder / "x"}),
                    2, "below"));
}

// The weights of a converted tiny model, and the description it came from.
class FromOfficial : public ::testing::Test {
 protected:
  void write_inputs(const std::string& network) {
    write_tiny_model(folder_ / "tiny.safetensors", R"({"network": )" + network + "}");
    ASSERT_TRUE(succeeds(run({"convert", "--to", "uvit", folder_ / "tiny.safetensors", "-o",
                              folder_ / "weights.safetensors"})));
  }
  Outcome convert(const std::string& network, const std::string& more) const {
    write_bytes(folder_ / "net.json",
                R"({"format": 1, "prediction": "velocity", "schedule": {"name": "cosine"},
      "time": {"scale": 1000, "shift": 0}, "network": )" +
                    network + more + "}");
    return run({"convert", "--from", "uvit", folder_ / "weights.safetensors", "--config",
                folder_ / "net.json", "-o", folder_ / "back"});
  }
  bool is_written() const { return std::filesystem::exists(folder_ / "back"); }

  ScratchFolder folder_;
};

constexpr const char* kWithoutUncertainty =
    R"({"kind": "uvit", "image_size": 8, "channels": 1, "patch_size": 4, "width": 16,
  "depth": 2, "heads": 2, "label_rows": 4, "uncertainty": "none"})";
constexpr const char*
    kOneBlock = R"({"kind": "uvit", "image_size": 8, "channels": 1, "patch_size": 4, "width": 16,
  "depth": 0, "heads": 2, "label_rows": 4, "uncertainty": "map"})";

TEST(Convert, WritesTheSameModelWithAnotherGuidance) {
  const ScratchFolder folder;
  write_tiny_model(folder / "tiny.safetensors");
  const std::vector<std::string> words = {"convert", folder / "tiny.safetensors", "-o",
                                          folder / "guided.safetensors", "--default-guidance"};
  const auto with = [&](const std::string& guidance) {
    std::vector<std::string> all = words;
    all.push_back(guidance);
    return run(all);
  };
  ASSERT_TRUE(succeeds(with("1.25")));
  const detail::Model before = detail::read_model(folder / "tiny.safetensors"),
                      after = detail::read_model(folder / "guided.safetensors");
  EXPECT_EQ(after.sampler.default_guidance, 1.25);
  EXPECT_EQ(after.sampler.id, before.sampler.id);
  write_bytes(folder / "plan.json", R"({"below": 1})");
  ASSERT_TRUE(
      succeeds(run({"convert", folder / "tiny.safetensors", "-o", folder / "both.safetensors",
                    "--default-guidance", "1.5", "--default-plan", folder / "plan.json"})));
  const detail::Model both = detail::read_model(folder / "both.safetensors");
  EXPECT_EQ(both.sampler.default_guidance, 1.5);
  EXPECT_EQ(both.sampler.default_plan, read_plan(folder / "plan.json"));
  EXPECT_TRUE(fails(run({"convert", folder / "tiny.safetensors", "-o", folder / "x",
                         "--default-guidance", "1.5", "--to", "uvit"}),
                    2,
                    "convert: must be given one of --from (with --config), --to and new defaults, "
                    "but is given 2"));
  EXPECT_TRUE(
      fails(with("101"), 2, "--default-guidance: must be a number in [0, 100], but is \"101\""));
}

TEST_F(FromOfficial, RefusesADescriptionThatNoSampleCouldOpen) {
  write_inputs(kWithoutUncertainty);
  EXPECT_TRUE(fails(convert(kWithoutUncertainty, R"(, "labels": null, "guidance": 2)"), 2,
                    "default_guidance"));
  EXPECT_TRUE(fails(convert(kWithoutUncertainty, R"(, "default_plan": {"below": 0.1})"), 2,
                    "the network has no uncertainty"));
  EXPECT_FALSE(is_written());
}

TEST_F(FromOfficial, TakesANetworkOfOneBlock) {
  write_inputs(kOneBlock);
  ASSERT_TRUE(succeeds(convert(kOneBlock, "")));
  EXPECT_TRUE(succeeds(
      run({"sample", folder_ / "back", "--count", "1", "--steps", "2", "--json", "--class", "1"})));
}

/// The converted weights with their names changed and tensors added.
void rewrite(const std::string& from, const std::string& to, const std::string& prefix,
             const std::vector<std::string>& more = {}) {
  const auto file = detail::SafetensorsFile::open(from);
  std::vector<detail::TensorView> tensors(file.tensors().begin(), file.tensors().end());
  for (auto& tensor : tensors) tensor.name = prefix + tensor.name;
  const std::vector<float> values(6);
  for (const std::string& name : more)
    tensors.push_back({name, detail::Dtype::F32, {2, 3}, std::as_bytes(std::span(values))});
  detail::write_safetensors(to, {}, tensors);
}

TEST_F(FromOfficial, NamesTensorsThatNobodyAskedFor) {
  write_inputs(kWithoutUncertainty);
  rewrite(folder_ / "weights.safetensors", folder_ / "more.safetensors", "", {"extra.weight"});
  std::filesystem::rename(folder_ / "more.safetensors", folder_ / "weights.safetensors");
  EXPECT_TRUE(fails(convert(kWithoutUncertainty, ""), 1,
                    "also holds \"extra.weight\" [2, 3]; compare depth, labels and options"));
  EXPECT_FALSE(is_written());
}

TEST_F(FromOfficial, ReadsNamesThatAllHaveOnePrefix) {
  write_inputs(kWithoutUncertainty);
  rewrite(folder_ / "weights.safetensors", folder_ / "more.safetensors", "module.");
  std::filesystem::rename(folder_ / "more.safetensors", folder_ / "weights.safetensors");
  EXPECT_TRUE(succeeds(convert(kWithoutUncertainty, "")));
}

TEST_F(FromOfficial, TakesTheTensorsUnderAPrefixAndSaysSo) {
  write_inputs(kWithoutUncertainty);
  rewrite(folder_ / "weights.safetensors", folder_ / "more.safetensors", "ema.", {"step"});
  std::filesystem::rename(folder_ / "more.safetensors", folder_ / "weights.safetensors");
  const Outcome outcome = convert(kWithoutUncertainty, "");
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_THAT(outcome.out, ::testing::HasSubstr("taken    the tensors under ema. in the file\n"));
}

TEST_F(FromOfficial, RecognisesTheFamilyByItself) {
  write_inputs(kWithoutUncertainty);
  write_bytes(folder_ / "facts.json", R"({"network": {"heads": 2}, "prediction": "velocity"})");
  const Outcome outcome = run({"convert", folder_ / "weights.safetensors", "--config",
                               folder_ / "facts.json", "-o", folder_ / "back"});
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_THAT(outcome.out, ::testing::HasSubstr("family   uvit"));
  EXPECT_THAT(outcome.out, ::testing::HasSubstr("process  prediction velocity, schedule vp-linear"));
}

TEST(Convert, RefusesAModelFileAsACheckpoint) {
  const ScratchFolder folder;
  write_tiny_model(folder / "tiny.safetensors");
  EXPECT_TRUE(fails(run({"convert", folder / "tiny.safetensors", "-o", folder / "x"}), 2,
                    "is a model file of adadiff already"));
}

TEST(Convert, DoesNotWriteOverItsInput) {
  const ScratchFolder folder;
  write_tiny_model(folder / "tiny.safetensors",
                   R"({"network": )" + std::string(kWithoutUncertainty) + "}");
  const std::string before = read_bytes(folder / "tiny.safetensors");
  EXPECT_TRUE(fails(run({"convert", "--to", "uvit", folder / "tiny.safetensors", "-o",
                         folder / "tiny.safetensors"}),
                    2, "--output: must name another file than the input"));
  EXPECT_EQ(read_bytes(folder / "tiny.safetensors"), before);
}

TEST(Convert, NeedsOneDirectionAndAFamilyItKnows) {
  EXPECT_TRUE(fails(run({"convert", "-o", "y"}), 2, "adadiff convert --help"));
  EXPECT_TRUE(fails(run({"convert", "x", "--from", "uvit", "--to", "uvit", "-o", "y"}), 2,
                    "convert: must be given one of --from (with --config), --to and new defaults"));
  EXPECT_TRUE(fails(run({"convert", "x", "--to", "gan", "-o", "y"}), 2,
                    "--to: must be one of uvit, dit, sit, adm, diffusers-unet, but is \"gan\""));
}

}  // namespace
}  // namespace adadiff::testing
