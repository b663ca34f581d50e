// `adadiff train`: a few steps on a handful of made-up images.
#include <sys/stat.h>

#include <gmock/gmock.h>

#include <filesystem>

#include <nlohmann/json.hpp>

#include <adadiff/image.h>

#include "cli/command.h"
#include "io/file_lock.h"

namespace adadiff::testing {
namespace {

using nlohmann::json;

std::string big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}

class Train : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kImages = 12;

  Train() {
    std::string images = std::string("\0\0\x08\x03", 4) + big_endian(kImages) + big_endian(8) +
                         big_endian(8);
    std::string labels = std::string("\0\0\x08\x01", 4) + big_endian(kImages);
    for (std::uint32_t i = 0; i < kImages * 64; ++i) images += static_cast<char>(i * 37 % 256);
    for (std::uint32_t i = 0; i < kImages; ++i) labels += static_cast<char>(i % 3);
    write_bytes(folder_ / "train-images-idx3-ubyte", images);
    write_bytes(folder_ / "train-labels-idx1-ubyte", labels);
  }

  Outcome train(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(),
                     {"train", "--data", folder_ / ".", "-o", model_, "--width", "16", "--depth",
                      "2", "--heads", "2", "--patch", "4", "--batch", "4", "--warmup", "1"});
    return run(arguments);
  }

  ScratchFolder folder_;
  std::string model_ = folder_ / "model.safetensors";
};

TEST_F(Train, WritesAModelThatSamples) {
  const Outcome outcome = train({"--steps", "3", "--json"});
  ASSERT_TRUE(succeeds(outcome));
  EXPECT_EQ(json::parse(outcome.out).at("steps"), 3);
  EXPECT_EQ(json::parse(outcome.out).at("completed"), true);
  EXPECT_TRUE(succeeds(
      run({"sample", model_, "--count", "1", "--steps", "2", "--class", "all", "--json"})));
}

TEST_F(Train, SaysWhatItsImagesAreBeforeItBegins) {
  const Outcome outcome = train({"--steps", "1", "--json"});
  EXPECT_NE(outcome.err.find("12 images as 1 x 8 x 8, 3 classes\n"), std::string::npos)
      << outcome.err;
}

TEST_F(Train, SaysWhichLabelsNoImageHas) {
  std::string labels = read_bytes(folder_ / "train-labels-idx1-ubyte");
  for (std::size_t i = 8; i < labels.size(); ++i) labels[i] = static_cast<char>(labels[i] + 1);
  write_bytes(folder_ / "train-labels-idx1-ubyte", labels);
  const Outcome outcome = train({"--steps", "1", "--json"});
  EXPECT_NE(outcome.err.find("4 classes; no image has the label 0: labels count from 0"),
            std::string::npos)
      << outcome.err;
}

TEST_F(Train, RefusesASecondTrainingOfTheSameModel) {
  const detail::FileLock first(model_, "training");
  EXPECT_TRUE(fails(train({"--steps", "1"}), 1,
                    "must be written by one training at a time, but another one is at work"));
}

TEST_F(Train, RefusesDevicesThatAreNoneOrNotHere) {
  EXPECT_TRUE(fails(train({"--device", "gpu"}), 2,
                    "--device: must be cpu, cuda or cuda:N, but is \"gpu\""));
  EXPECT_TRUE(fails(train({"--device", "cuda:127"}), 1, "--device: must be a device "));
}

TEST_F(Train, ReportsKeysThatItsPageExplains) {
  const Outcome outcome = train({"--steps", "1", "--json"});
  ASSERT_TRUE(succeeds(outcome));
  EXPECT_EQ(unexplained_keys(json::parse(outcome.out), "docs/training.md"), "");
}

TEST_F(Train, GoesOnWhereItWasStopped) {
  ASSERT_TRUE(succeeds(train({"--steps", "2", "--decay", "constant"})));
  EXPECT_TRUE(fails(train({"--steps", "4", "--decay", "constant"}), 2, "checkpoint"));
  const Outcome resumed = train({"--steps", "4", "--decay", "constant", "--resume", "--json"});
  ASSERT_TRUE(succeeds(resumed));
  EXPECT_EQ(json::parse(resumed.out).at("steps"), 4);
}

TEST_F(Train, SaysWhatItFoundInAFolderOfPictures) {
  for (const char* name : {"cats", "dogs"}) {
    std::filesystem::create_directory(folder_ / name);
    write_png({.count = 1,
               .height = 8,
               .width = 8,
               .channels = 1,
               .pixels = std::vector<std::uint8_t>(64, 9)},
              folder_ / name + "/1.png");
  }
  const Outcome outcome = run({"train", "--images", folder_ / ".", "-o", model_, "--size", "8",
                               "--width", "16", "--depth", "2", "--heads", "2", "--batch", "2",
                               "--steps", "1"});
  ASSERT_TRUE(succeeds(outcome));
  EXPECT_THAT(outcome.err,
              ::testing::HasSubstr(
                  "2 pictures as 1 x 8 x 8, 2 classes: cats, dogs; left out 2 other files\n"));
}

TEST_F(Train, LeavesOutTheLabelsOfAFolderWhereAskedTo) {
  for (const char* name : {"cats", "dogs"}) {
    std::filesystem::create_directory(folder_ / name);
    write_png({.count = 1,
               .height = 8,
               .width = 8,
               .channels = 1,
               .pixels = std::vector<std::uint8_t>(64, 9)},
              folder_ / name + "/1.png");
  }
  const Outcome outcome = run({"train", "--images", folder_ / ".", "--no-labels", "-o", model_,
                               "--size", "8", "--width", "16", "--depth", "2", "--heads", "2",
                               "--batch", "2", "--steps", "1"});
  ASSERT_TRUE(succeeds(outcome));
  EXPECT_THAT(outcome.err, ::testing::HasSubstr(
                               "2 pictures as 1 x 8 x 8, no classes; left out 2 other files\n"));
  EXPECT_EQ(json::parse(run({"info", model_, "--json"}).out).at("classes"), 0);
}

TEST_F(Train, SaysWhatTheLearningRateDoesNotMove) {
  const char* note = "the matrices of blocks go by Muon, at --matrix-learning-rate 0.02";
  EXPECT_THAT(train({"--steps", "1", "--learning-rate", "1e-4"}).err, ::testing::HasSubstr(note));
  std::filesystem::remove(model_ + ".checkpoint");
  EXPECT_THAT(train({"--steps", "1", "--learning-rate", "1e-4", "--optimiser", "adamw"}).err,
              ::testing::Not(::testing::HasSubstr(note)));
}

TEST_F(Train, TellsWhereAFolderOfPicturesGoes) {
  std::filesystem::create_directory(folder_ / "pictures");
  EXPECT_TRUE(fails(run({"train", "--data", folder_ / "pictures", "-o", model_}), 1,
                    "a folder of pictures goes to --images"));
}

TEST_F(Train, TakesARecipeAndFlagsOverIt) {
  write_bytes(folder_ / "recipe.json", R"({"prediction": "noise", "schedule": "vp-linear"})");
  ASSERT_TRUE(succeeds(
      train({"--recipe", folder_ / "recipe.json", "--schedule", "cosine", "--steps", "1"})));
  const json model = json::parse(run({"info", model_, "--json"}).out);
  EXPECT_EQ(model.at("prediction"), "noise");
  EXPECT_EQ(model.at("schedule"), "cosine");
}

TEST_F(Train, SwitchesOffWhatARecipeSwitchesOn) {
  write_bytes(folder_ / "recipe.json", R"({"mirror": true, "antithetic": true})");
  ASSERT_TRUE(
      succeeds(train({"--recipe", folder_ / "recipe.json", "--no-mirror", "--steps", "1"})));
  const json recipe = json::parse(run({"info", model_, "--json"}).out).at("training").at("recipe");
  EXPECT_EQ(recipe.at("mirror"), false);
  EXPECT_EQ(recipe.at("antithetic"), true);
}

TEST_F(Train, MakesUncertaintyModulesOfAnyForm) {
  ASSERT_TRUE(succeeds(train({"--uncertainty", "pooled", "--steps", "1"})));
  EXPECT_EQ(json::parse(run({"info", model_, "--json"}).out).at("uncertainty"), "pooled");
}

TEST_F(Train, DistilsOneDrawnExitAndLearnsALikelihood) {
  ASSERT_TRUE(succeeds(train({"--distillation", "1", "--distilled-exits", "one", "--target",
                              "likelihood", "--steps", "2"})));
  const json recipe = json::parse(run({"info", model_, "--json"}).out).at("training").at("recipe");
  EXPECT_EQ(recipe.at("distilled_exits"), "one");
  EXPECT_EQ(recipe.at("target"), "likelihood");
}

TEST_F(Train, AddsExitsToAModelWithoutThem) {
  write_bytes(
      folder_ / "net.json",
      R"({"kind": "uvit", "image_size": 8, "channels": 1, "patch_size": 4, "width": 16, "depth": 2,
    "heads": 2, "label_rows": 4, "uncertainty": "none"})");
  ASSERT_TRUE(succeeds(train({"--network", folder_ / "net.json", "--steps", "1"})));
  const std::vector<std::string> grow{"train",
                                      "--data",
                                      folder_ / ".",
                                      "--from",
                                      model_,
                                      "--trained",
                                      "exits",
                                      "--steps",
                                      "2",
                                      "--batch",
                                      "4",
                                      "-o",
                                      folder_ / "grown.safetensors"};
  ASSERT_TRUE(succeeds(run(grow)));
  EXPECT_TRUE(succeeds(run({"sample", folder_ / "grown.safetensors", "--count", "1", "--steps", "2",
                            "--threshold", "0.1", "--json"})));
  std::vector<std::string> contradicting = grow;
  contradicting.insert(contradicting.end(), {"--prediction", "noise", "--resume"});
  EXPECT_TRUE(fails(run(contradicting), 2, "--prediction: must be left out with --from"));
}

TEST_F(Train, LogsEveryStep) {
  ASSERT_TRUE(succeeds(train({"--steps", "3", "--log", folder_ / "log.csv"})));
  const std::string log = read_bytes(folder_ / "log.csv");
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 4);
}

TEST_F(Train, RefusesBadOptions) {
  EXPECT_TRUE(fails(train({"--batch", "0"}), 2, "--batch"));
  EXPECT_TRUE(fails(train({"--learning-rate", "fast"}), 2,
                    "--learning-rate: must be a number in [0, 100], but is \"fast\""));
  EXPECT_TRUE(fails(train({"--loss", "magic"}), 2, "magic"));
  EXPECT_TRUE(fails(train({"--target", "magic"}), 2, "magic"));
  EXPECT_TRUE(fails(train({"--distilled-exits", "one"}), 2,
                    "--distilled-exits: must be all where distillation is 0, but is one"));
  EXPECT_TRUE(fails(train({"--prediction", "magic"}), 2, "magic"));
  EXPECT_TRUE(fails(train({"--schedule", "magic", "--steps", "1"}), 2, "magic"));
  EXPECT_EQ(folder_.files().size(), 2U);
}

TEST_F(Train, RefusesWhatNoModelFileCouldHold) {
  EXPECT_TRUE(fails(train({"--class-names", "a,b,c,d,e,f"}), 2,
                    "--class-names: must be 3, one per class, but are 6"));
  EXPECT_TRUE(fails(train({"--class-names", std::string(300, 'a')}), 2,
                    "--class-names: must have at most 200 bytes, but has 300"));
  EXPECT_TRUE(fails(train({"--license", std::string(70000, 'a')}), 2,
                    "--license: must have at most 65536 bytes, but has 70000"));
  EXPECT_EQ(folder_.files().size(), 2U);
}

TEST_F(Train, OverwritesNothingItReadsOrWritesBesides) {
  EXPECT_TRUE(fails(train({"--log", folder_ / "train-images-idx3-ubyte"}), 2,
                    "--log: must name another file than --images"));
  EXPECT_TRUE(fails(train({"--log", model_ + ".checkpoint"}), 2, "must name a file of its own"));
  EXPECT_EQ(folder_.files().size(), 2U);
}

TEST_F(Train, RefusesALogThatIsNone) {
  write_bytes(folder_ / "notes.txt", "dear diary\n");
  EXPECT_TRUE(fails(train({"--steps", "1", "--log", folder_ / "notes.txt"}), 1,
                    "must be the log of a training"));
  EXPECT_EQ(read_bytes(folder_ / "notes.txt"), "dear diary\n");
}

TEST_F(Train, RefusesPipes) {
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_TRUE(fails(train({"--steps", "1", "--checkpoint", pipe}), 1, "is a pipe"));
  EXPECT_TRUE(fails(train({"--steps", "1", "--log", pipe}), 1, "is a pipe"));
}

TEST_F(Train, ClaimsNoFileWhereThereWasNoTimeForAStep) {
  const Outcome outcome = train({"--steps", "5", "--minutes", "1e-9"});
  ASSERT_TRUE(succeeds(outcome));
  EXPECT_NE(outcome.out.find("nothing, since there was no time"), std::string::npos);
  EXPECT_EQ(folder_.files().size(), 2U);
}

TEST_F(Train, RefusesDataThatIsNotThere) {
  EXPECT_TRUE(fails(run({"train", "--data", folder_ / "none", "-o", model_}), 1,
                    "--data: must name a folder with train-images-idx3-ubyte"));
  EXPECT_TRUE(fails(run({"train", "--images", folder_ / "none", "-o", model_}), 1, "none"));
  EXPECT_TRUE(fails(run({"train"}), 2, "--output"));
}

}  // namespace
}  // namespace adadiff::testing
