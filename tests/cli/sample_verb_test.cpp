// `adadiff sample`: what it draws, what it writes, what it refuses.
#include <nlohmann/json.hpp>

#include <adadiff/image.h>
#include <adadiff/trace.h>

#include "cli/command.h"
#include "cli/tiny_model.h"
#include "io/npy.h"

namespace adadiff::testing {
namespace {

using nlohmann::json;

class Sample : public ::testing::Test {
 protected:
  Sample() { write_tiny_model(model_); }

  Outcome sample(std::vector<std::string> arguments, const Surroundings& surroundings = {}) const {
    arguments.insert(arguments.begin(), {"sample", model_});
    return run(arguments, surroundings);
  }
  /// The bytes of the images that these flags draw.
  std::string draw(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--images", folder_ / "drawn.npy"});
    EXPECT_TRUE(succeeds(sample(arguments)));
    return read_bytes(folder_ / "drawn.npy");
  }

  ScratchFolder folder_;
  std::string model_ = folder_ / "tiny.safetensors";
};

TEST_F(Sample, SaysWhichClassesItDrew) {
  const Outcome outcome = sample({"--count", "2", "--class", "green,0"});
  EXPECT_NE(outcome.out.find("classes          green, red, in turn\n"), std::string::npos)
      << outcome.out;
  const Outcome fewer = sample({"--count", "1", "--class", "green,0"});
  EXPECT_NE(fewer.out.find("classes          green\n"), std::string::npos) << fewer.out;
  EXPECT_EQ(sample({"--count", "2"}).out.find("classes"), std::string::npos);
}

TEST_F(Sample, RefusesANumberThatIsNoNameWhereNamesAreNumbers) {
  const std::string numbered = folder_ / "numbered.safetensors";
  write_tiny_model(numbered, R"({"labels": {"null": 3, "names": ["0", "10", "2"]}})");
  EXPECT_TRUE(fails(run({"sample", numbered, "--class", "1", "--json"}), 2,
                    "--class: must name classes where some have numbers as names, but holds \"1\", "
                    "which is none of \"0\", \"10\", \"2\""));
  EXPECT_TRUE(succeeds(run({"sample", numbered, "--count", "1", "--class", "10", "--json"})));
}

TEST_F(Sample, PrintsAShortSummary) {
  const Outcome outcome = sample(
      {"--count", "3", "--threshold", "0.5", "--out", folder_ / "grid.png"});
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.err, "");
  for (const char* part : {"images           3\n", "steps            4 (ddim)\n", "threshold 0.5",
                           "mean depth", "of 3 blocks", "compute skipped", "wall time"}) {
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << "\n" << outcome.out;
  }
}

TEST_F(Sample, EnlargesSmallImagesInTheGrid) {
  ASSERT_TRUE(succeeds(sample({"--count", "4", "--columns", "2", "--out", folder_ / "grid.png"})));
  const Images grid = read_image(folder_ / "grid.png");
  EXPECT_GE(grid.width, 2 * 96);
  EXPECT_EQ(grid.width, grid.height);
}

TEST_F(Sample, WritesImagesAsBytesInRows) {
  ASSERT_TRUE(succeeds(sample({"--count", "3", "--images", folder_ / "images.npy"})));
  EXPECT_EQ(detail::read_npy_integers(folder_ / "images.npy").shape,
            (std::vector<std::int64_t>{3, 8, 8, 1}));
  EXPECT_NE(read_bytes(folder_ / "images.npy").find("|u1"), std::string::npos);
}

TEST_F(Sample, WritesATraceOfEveryEvaluation) {
  ASSERT_TRUE(
      succeeds(sample({"--count", "3", "--threshold", "1", "--trace", folder_ / "trace.json"})));
  const Trace trace = parse_trace(read_bytes(folder_ / "trace.json"));
  EXPECT_EQ(trace.samples, 3);
  EXPECT_EQ(trace.exits(), std::vector<std::vector<int>>(4, std::vector<int>(3, 1)));
}

TEST_F(Sample, DrawsADepthMap) {
  ASSERT_TRUE(succeeds(sample({"--count", "3", "--depth-map", folder_ / "depth.png"})));
  EXPECT_EQ(read_image(folder_ / "depth.png").channels, 3);
}

TEST_F(Sample, WritesOnlyWhatWasAskedFor) {
  ASSERT_TRUE(succeeds(sample({"--count", "1", "--trace", folder_ / "trace.json"})));
  EXPECT_EQ(folder_.files(), (std::vector<std::string>{"tiny.safetensors", "trace.json"}));
}

TEST_F(Sample, DrawsTheSameForTheSameSeed) {
  EXPECT_EQ(draw({"--count", "2", "--seed", "5"}), draw({"--count", "2", "--seed", "5"}));
  EXPECT_NE(draw({"--count", "2", "--seed", "5"}), draw({"--count", "2", "--seed", "6"}));
}

TEST_F(Sample, DrawsFullDepthWhereNobodyLeaves) {
  EXPECT_EQ(draw({"--count", "2", "--threshold", "1e-9"}), draw({"--count", "2", "--full-depth"}));
  EXPECT_NE(draw({"--count", "2", "--threshold", "1"}), draw({"--count", "2", "--full-depth"}));
}

TEST_F(Sample, TakesLabelsByNumberNameAndAll) {
  const std::string numbers = draw({"--count", "4", "--class", "0,1,2"});
  EXPECT_EQ(draw({"--count", "4", "--class", "red,green,2"}), numbers);
  EXPECT_EQ(draw({"--count", "4", "--class", "all"}), numbers);
  EXPECT_NE(draw({"--count", "4", "--class", "1"}), numbers);
}

TEST_F(Sample, ListensToEveryKnob) {
  const std::string usual = draw({"--count", "2", "--class", "1"});
  for (const std::vector<std::string>& knob :
       std::vector<std::vector<std::string>>{{"--steps", "3"},
                                             {"--solver", "heun"},
                                             {"--grid", "logsnr"},
                                             {"--eta", "1"},
                                             {"--clamp"},
                                             {"--guidance", "3"}}) {
    std::vector<std::string> arguments{"--count", "2", "--class", "1"};
    arguments.insert(arguments.end(), knob.begin(), knob.end());
    EXPECT_NE(draw(arguments), usual) << knob[0];
  }
}

TEST_F(Sample, StartsFromGivenNoise) {
  detail::write_npy(folder_ / "noise.npy", {2, 1, 8, 8}, std::vector<float>(128, 0.25F));
  const std::string drawn = draw({"--noise", folder_ / "noise.npy"});
  EXPECT_EQ(drawn.substr(drawn.size() - 128, 64), drawn.substr(drawn.size() - 64))
      << "equal noise gives equal images";
}

TEST_F(Sample, RefusesNoiseOfAnotherShape) {
  detail::write_npy(folder_ / "noise.npy", {2, 1, 8, 4}, std::vector<float>(64, 0.F));
  EXPECT_TRUE(fails(sample({"--noise", folder_ / "noise.npy"}), 2,
                    "--noise: must hold [count, 1, 8, 8] numbers"));
}

TEST_F(Sample, ReportsAsJson) {
  const Outcome outcome = sample({"--count", "2", "--json"});
  ASSERT_TRUE(succeeds(outcome));
  const json report = json::parse(outcome.out);
  EXPECT_EQ(report.at("count"), 2);
  EXPECT_EQ(report.at("steps"), 4);
  EXPECT_EQ(report.at("mean_exit_depth"), 3.0);
  EXPECT_GT(report.at("wall_ms"), 0.0);
}

TEST_F(Sample, ComparesWithFullDepth) {
  const Outcome outcome = sample({"--count", "2", "--threshold", "1", "--compare", "--json"});
  ASSERT_TRUE(succeeds(outcome));
  const json report = json::parse(outcome.out);
  EXPECT_EQ(report.at("repeats"), 7);
  EXPECT_EQ(report.at("mean_exit_depth"), 1.0);
  EXPECT_GT(report.at("compute_skipped"), 0.3);
  EXPECT_TRUE(report.at("psnr_db").is_number());
  for (const char* key : {"time_saved", "exit_efficiency", "wall_ms", "full_depth_wall_ms"})
    EXPECT_TRUE(report.at(key).is_number()) << key;
}

TEST_F(Sample, ComparesWithNothingToSay) {
  const json report = json::parse(
      sample({"--count", "1", "--full-depth", "--compare", "--json"}).out);
  EXPECT_TRUE(report.at("psnr_db").is_null());
  EXPECT_TRUE(report.at("exit_efficiency").is_null());
}

TEST_F(Sample, RefusesTwoPlans) {
  EXPECT_TRUE(fails(sample({"--threshold", "0.1", "--full-depth"}), 2, "--full-depth"));
  EXPECT_TRUE(fails(sample({"--threshold", "0.1", "--plan", "p.json"}), 2, "--plan"));
}

TEST_F(Sample, RefusesStepsAgainstThePlans) {
  write_bytes(folder_ / "plan.json", R"({"below": 0.1, "solver": {"name": "ddim", "steps": 3}})");
  EXPECT_TRUE(succeeds(sample({"--plan", folder_ / "plan.json", "--count", "1", "--json"})));
  EXPECT_TRUE(succeeds(
      sample({"--plan", folder_ / "plan.json", "--count", "1", "--json", "--steps", "3"})));
  EXPECT_TRUE(fails(sample({"--plan", folder_ / "plan.json", "--steps", "5"}), 2, "steps"));
  EXPECT_TRUE(fails(sample({"--plan", folder_ / "plan.json", "--solver", "heun"}), 2, "heun"));
}

TEST_F(Sample, NotesThatTheDefaultPlanWasMadeForOtherSteps) {
  write_tiny_model(model_,
                   R"({"default_plan": {"below": 1, "solver": {"name": "ddim", "steps": 4}}})");
  EXPECT_EQ(json::parse(sample({"--count", "1", "--json"}).out).at("mean_exit_depth"), 1.0);
  const Outcome other = sample({"--count", "1", "--json", "--steps", "5"});
  EXPECT_EQ(json::parse(other.out).at("mean_exit_depth"), 3.0);
  EXPECT_NE(other.err.find("note: running full depth"), std::string::npos);
}

TEST_F(Sample, StepsOrGridTakeThePlaceOfAModelsOwnTimes) {
  write_tiny_model(model_, R"({"solver": {"name": "ddim", "times": [0.9, 0.5, 0]}})");
  const auto steps = [&](std::vector<std::string> flags) {
    flags.insert(flags.end(), {"--count", "1", "--json"});
    return json::parse(sample(flags).out).at("steps").get<int>();
  };
  EXPECT_EQ(steps({}), 2);
  EXPECT_EQ(steps({"--steps", "50"}), 50);
  const std::string own = draw({"--count", "1"}),
                    uniform = draw({"--count", "1", "--grid", "quadratic"});
  EXPECT_EQ(steps({"--grid", "quadratic"}), 2);
  EXPECT_NE(own, uniform);
  EXPECT_EQ(own, draw({"--count", "1", "--steps", "2"}));
}

TEST_F(Sample, RefusesAGridTooLargeBeforeItWorks) {
  write_tiny_model(
      model_,
      R"({"network": {"kind": "uvit", "image_size": 32, "channels": 1, "patch_size": 16, "width": 16, "depth": 2,
    "heads": 2, "label_rows": 4, "uncertainty": "timed-map"}})");
  EXPECT_TRUE(fails(sample({"--count", "1000000", "--out", folder_ / "grid.png"}), 2,
                    "--out: must show at most 256 megapixels"));
}

TEST_F(Sample, RefusesAPictureOfTwoChannelsBeforeItWorks) {
  write_tiny_model(
      model_,
      R"({"network": {"kind": "uvit", "image_size": 8, "channels": 2, "patch_size": 4, "width": 16, "depth": 2,
    "heads": 2, "label_rows": 4, "uncertainty": "timed-map"}})");
  EXPECT_TRUE(fails(sample({"--count", "1", "--out", folder_ / "grid.png"}), 2,
                    "--out: must show images of 1 or 3 channels"));
  EXPECT_TRUE(succeeds(sample({"--count", "1", "--images", folder_ / "images.npy"})));
}

TEST_F(Sample, RefusesNoiseOfAnotherShapeWithoutReadingIt) {
  detail::write_npy(folder_ / "noise.npy", {1, 1, 8, 8}, std::vector<float>(64));
  std::string bytes = read_bytes(folder_ / "noise.npy");
  bytes.replace(bytes.find("(1, 1, 8, 8), }"), 18, "(4194304, 9, 8,8)}");
  write_bytes(folder_ / "noise.npy", bytes);
  EXPECT_TRUE(fails(sample({"--noise", folder_ / "noise.npy"}), 2,
                    "--noise: must hold [count, 1, 8, 8] numbers"));
}

TEST_F(Sample, SaysOneLineWhereTheDefaultPlanDoesNotServeAndTheRunFails) {
  write_tiny_model(model_,
                   R"({"default_plan": {"below": 1, "solver": {"name": "ddim", "steps": 4}}})");
  EXPECT_TRUE(
      fails(sample({"--count", "1", "--steps", "5", "--images", "/dev/full"}), 1, "/dev/full"));
}

TEST_F(Sample, FailsWithAClosedStandardOutput) {
  const Outcome outcome = sample({"--count", "1", "--images", folder_ / "images.npy", "--json"},
                                 {.has_no_standard_output = true});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("standard output: must take the result"), std::string::npos);
}

TEST_F(Sample, RefusesValuesOutOfRange) {
  EXPECT_TRUE(fails(sample({"--count", "0"}), 2,
                    "--count: must be a whole number in [1, 1000000], but is \"0\""));
  EXPECT_TRUE(fails(sample({"--steps", "1e3"}), 2, "--steps"));
  EXPECT_TRUE(fails(sample({"--threshold", "nan"}), 2,
                    "--threshold: must be a number in [0, 1], but is \"nan\""));
  EXPECT_TRUE(fails(sample({"--seed", "-1"}), 2, "--seed: must be a whole number in [0, 2^64)"));
  EXPECT_TRUE(fails(sample({"--class", "3"}), 2, "--class: must name labels in [0, 2]"));
  EXPECT_TRUE(fails(sample({"--solver", "magic"}), 2, "magic"));
  EXPECT_TRUE(fails(sample({"--grid", "magic"}), 2, "magic"));
  EXPECT_TRUE(fails(sample({"--device", "cuda"}), 2,
                    "--device: must be cpu in this build, but is \"cuda\""));
}

TEST_F(Sample, ChecksOutputsBeforeItWorks) {
  EXPECT_TRUE(fails(sample({"--out", folder_ / "no/grid.png"}), 1,
                    "--out: must name a file in a folder that exists"));
  EXPECT_TRUE(fails(sample({"--out", folder_ / "."}), 1, "is a folder"));
  EXPECT_TRUE(fails(sample({"--trace", folder_ / "x", "--images", folder_ / "x"}), 2,
                    "named by another flag too"));
}

TEST_F(Sample, LeavesNoPartOfAFileOnAFullDisk) {
  EXPECT_TRUE(fails(sample({"--count", "1", "--out", "/dev/full"}), 1, "/dev/full"));
  EXPECT_TRUE(fails(sample({"--count", "1", "--images", "/dev/full"}), 1, "/dev/full"));
  EXPECT_TRUE(fails(sample({"--count", "1", "--trace", "/dev/full"}), 1, "/dev/full"));
}

TEST_F(Sample, StopsOnInterruptWithoutWriting) {
  const Outcome outcome = sample(
      {"--count", "4096", "--steps", "10000", "--out", folder_ / "grid.png"},
      {.signal_after_ms = 1500});
  EXPECT_TRUE(fails(outcome, 1, "adadiff sample: interrupted; nothing was written"));
  EXPECT_EQ(folder_.files(), std::vector<std::string>{"tiny.safetensors"});
}

TEST_F(Sample, FindsTheModelInTheEnvironment) {
  EXPECT_TRUE(succeeds(
      run({"sample", "--count", "1", "--json"}, {.variables = {{"ADADIFF_MODEL", model_}}})));
  EXPECT_TRUE(fails(run({"sample", "--json"}, {.variables = {{"ADADIFF_MODEL", folder_ / "none"}}}),
                    1, "none"));
}

TEST_F(Sample, GuidesByAnEarlierExit) {
  const std::string plain = draw({"--full-depth"});
  EXPECT_NE(draw({"--full-depth", "--guide-exit", "1", "--guide-weight", "2"}), plain);
  EXPECT_EQ(draw({"--full-depth", "--guide-exit", "1", "--guide-weight", "1"}), plain);
  EXPECT_EQ(draw({"--full-depth", "--guide-before", "2", "--guide-weight", "2"}),
            draw({"--full-depth", "--guide-exit", "1", "--guide-weight", "2"}))
      << "of 3 blocks, exit 1 is the second before the end";
}

TEST_F(Sample, ReplacesTheWeightOfAPlansGuide) {
  write_bytes(folder_ / "plan.json", R"({"guide":{"exit":1,"weight":2}})");
  EXPECT_EQ(draw({"--plan", folder_ / "plan.json", "--guide-weight", "1"}), draw({"--full-depth"}));
  EXPECT_EQ(draw({"--plan", folder_ / "plan.json", "--guide-weight", "3"}),
            draw({"--full-depth", "--guide-exit", "1", "--guide-weight", "3"}));
}

TEST_F(Sample, RefusesGuidesThatMeanNothing) {
  EXPECT_TRUE(fails(sample({"--full-depth", "--guide-weight", "2"}), 2,
                    "--guide-weight: must go with --guide-exit or --guide-before, or with a plan "
                    "that has a guide"));
  EXPECT_TRUE(fails(sample({"--full-depth", "--guide-exit", "1"}), 2, "--guide-weight"));
  EXPECT_TRUE(fails(
      sample({"--full-depth", "--guide-exit", "1", "--guide-before", "1", "--guide-weight", "2"}),
      2, "excludes"));
  EXPECT_TRUE(fails(sample({"--full-depth", "--guide-exit", "3", "--guide-weight", "2"}), 2,
                    "guide.exit: must be an exit of the network"));
}

}  // namespace
}  // namespace adadiff::testing
