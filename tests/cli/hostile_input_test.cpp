// Broken and hostile model files, plans and command lines: each ends with exit code 0, 1 or 2, in
// time, and says why in one line.
#include <algorithm>
#include <random>

#include "cli/command.h"
#include "cli/tiny_model.h"

namespace adadiff::testing {
namespace {

/// No signal, no hang, a known exit code; a failure has one line and no results.
::testing::AssertionResult ends_well(const Outcome& outcome) {
  if (outcome.exit_code == 0) return ::testing::AssertionSuccess();
  return outcome.exit_code == 1 || outcome.exit_code == 2 ? fails(outcome, outcome.exit_code, "")
                                                          : fails(outcome, 1, "no signal");
}

std::string repeat(const char* text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

class Hostile : public ::testing::Test {
 protected:
  Hostile() {
    write_tiny_model(folder_ / "tiny.safetensors");
    model_ = read_bytes(folder_ / "tiny.safetensors");
  }

  /// What `adadiff sample` makes of such a model file, or of such a plan for a good one.
  Outcome sample_from(const std::string& bytes) const {
    write_bytes(folder_ / "bad.safetensors", bytes);
    return run_copy(
        {"sample", folder_ / "bad.safetensors", "--count", "1", "--steps", "1", "--json"});
  }
  Outcome sample_by(const std::string& plan) const {
    write_bytes(folder_ / "plan.json", plan);
    return run_copy({"sample", folder_ / "tiny.safetensors", "--count", "1", "--json", "--plan",
                     folder_ / "plan.json"});
  }
  std::size_t below(std::size_t limit) { return random_() % limit; }

  ScratchFolder folder_;
  std::string model_;
  std::mt19937 random_{20240607};  // the same files in every run
};

TEST_F(Hostile, SurvivesTruncatedModels) {
  for (int i = 0; i < 60; ++i) {
    const std::size_t length = i < 20 ? static_cast<std::size_t>(i) : below(model_.size());
    const Outcome outcome = sample_from(model_.substr(0, length));
    EXPECT_TRUE(fails(outcome, 1, "bad.safetensors")) << length;
  }
}

TEST_F(Hostile, SurvivesModelsWithOtherBytesInTheHeader) {
  const std::size_t header = model_.find("\"dtype\"") + 4000;
  for (int i = 0; i < 200; ++i) {
    std::string bytes = model_;
    for (std::size_t n = 1 + below(4); n > 0; --n)
      bytes[below(std::min(header, bytes.size()))] = static_cast<char>(below(256));
    EXPECT_TRUE(ends_well(sample_from(bytes))) << i;
  }
}

TEST_F(Hostile, SurvivesModelsWithOtherNumbersInTheHeader) {
  const std::string numbers[] = {
      "-1",   "0",  "99999999999999999999", "1e308", "4611686018427387904", "null", "[]",
      "\"\"", "0.5"};
  std::vector<std::size_t> digits;
  for (std::size_t i = 8; i < std::min<std::size_t>(model_.size(), 6000); ++i) {
    if (std::isdigit(static_cast<unsigned char>(model_[i])) != 0 &&
        std::isdigit(static_cast<unsigned char>(model_[i - 1])) == 0)
      digits.push_back(i);
  }
  for (int i = 0; i < 200; ++i) {
    std::string bytes = model_;
    const std::size_t at = digits[below(digits.size())];
    std::size_t end = at;
    while (std::isdigit(static_cast<unsigned char>(bytes[end])) != 0) ++end;
    std::string value = numbers[below(std::size(numbers))];
    value.resize(std::max(value.size(), end - at),
                 ' ');  // offsets after it stay right where it fits
    bytes.replace(at, end - at, value);
    EXPECT_TRUE(ends_well(sample_from(bytes))) << i << " " << value;
  }
}

TEST_F(Hostile, SurvivesHeadersOfAnyClaimedLength) {
  for (const int last : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
    for (const std::size_t byte : {1U, 3U, 7U}) {
      std::string bytes = model_;
      bytes[byte] = static_cast<char>(last);
      EXPECT_TRUE(ends_well(sample_from(bytes))) << byte;
    }
  }
}

TEST_F(Hostile, RefusesEmptyWords) {
  const std::string tiny = folder_ / "tiny.safetensors";
  EXPECT_TRUE(fails(run_copy({"sample", tiny, "--plan", ""}), 2,
                    "argument 4: must not be empty, but the one after \"--plan\" is"));
  EXPECT_TRUE(fails(run_copy({"sample", tiny, "--plan="}), 2, "--plan: must have a value"));
  EXPECT_TRUE(fails(run_copy({"info", ""}), 2, "must not be empty"));
}

TEST_F(Hostile, OverwritesNoInput) {
  const std::string tiny = folder_ / "tiny.safetensors";
  EXPECT_TRUE(fails(run_copy({"sample", tiny, "--json", "--trace", tiny}), 2,
                    "--trace: must name another file than the model"));
  EXPECT_EQ(read_bytes(tiny), model_);
}

TEST_F(Hostile, NamesFilesOfAnyNameInOneShortLine) {
  EXPECT_TRUE(fails(run_copy({"info", "no\nsuch file"}), 1, "no such file: must"));
  const Outcome outcome = run_copy({"info", std::string(5000, 'x')});
  EXPECT_TRUE(fails(outcome, 1, " [...] "));
  EXPECT_LT(outcome.err.size(), 1100U);
}

TEST_F(Hostile, RefusesWeightsThatAreNoNumbers) {
  std::string bytes = model_;
  bytes.replace(bytes.size() - 4, 4, "\x00\x00\xc0\x7f", 4);
  EXPECT_TRUE(fails(sample_from(bytes), 1, "finite"));
}

TEST_F(Hostile, RefusesForeignModels) {
  EXPECT_TRUE(fails(sample_from("\x89PNG\r\n\x1a\n"), 1, "bad.safetensors"));
  EXPECT_TRUE(fails(sample_from(std::string(1 << 16, '\0')), 1, "bad.safetensors"));
  EXPECT_TRUE(fails(sample_from(std::string("\x02\0\0\0\0\0\0\0{}", 10)), 1, "adadiff"));
}

TEST_F(Hostile, RefusesBadPlans) {
  const char* plans[] = {
      "",
      " ",
      "nul",
      "[]",
      "3",
      "\"below\"",
      "{",
      "{}}",
      "{\"below\"",
      R"({"below": "sometimes"})",
      R"({"below": -0.1})",
      R"({"below": 3})",
      R"({"below": 1e999})",
      R"({"below": []})",
      R"({"below": [0.1, 0.2]})",
      R"({"below": [[0.1]]})",
      R"({"below": {}})",
      R"({"below": true})",
      R"({"above": 0.1})",
      R"({"below": 0.1, "below": 0.2})",
      R"({"rules": []})",
      R"({"rules": {}})",
      R"({"rules": [1]})",
      R"({"rules": [{"below": 0.1, "until": 2}]})",
      R"({"rules": [{"below": 0.1, "until": 0.5}]})",
      R"({"rules": [{"below": 0.1, "until": 0.2}, {"below": 0.1, "until": 0.5}, {"below": 0.1, "until": 0}]})",
      R"({"below": 0.1, "hits": 0})",
      R"({"below": 0.1, "hits": 256})",
      R"({"below": 0.1, "hits": -1})",
      R"({"below": 0.1, "hits": 1.5})",
      R"({"below": 0.1, "network": "small"})",
      R"({"below": 0.1, "precision": "int8"})",
      R"({"below": 0.1, "precision": "float7"})",
      R"({"below": 0.1, "skip": [4, 0, 0]})",
      R"({"below": 0.1, "scope": "universe"})",
      R"({"below": 0.1, "branches": "some"})",
      R"({"below": 0.1, "pair": "smaller"})",
      R"({"below": 0.1, "counting": "twice"})",
      R"({"below": 0.1, "format": 99})",
      R"({"below": 0.1, "format": "1"})",
      R"({"below": 0.1, "model": "0123456789abcdef"})",
      R"({"below": 0.1, "model": 5})",
      R"({"below": 0.1, "solver": "ddim"})",
      R"({"below": 0.1, "solver": {"name": "magic", "steps": 3}})",
      R"({"below": 0.1, "solver": {"name": "ddim", "steps": 0}})",
      R"({"below": 0.1, "solver": {"name": "ddim", "steps": 1e9}})",
      R"({"below": 0.1, "solver": {"name": "ddim", "times": [1, 0.5]}})",
      R"({"below": 0.1, "solver": {"name": "ddim", "times": [0.5, 1, 0]}})",
      R"({"below": 0.1, "solver": {"name": "ddim", "eta": 2}})",
      R"({"below": 0.1, "solver": {"name": "heun", "eta": 1, "steps": 2}})",
      "\xff\xfe{}",

      "{\"\\ud800\": 1}",
  };
  for (const char* plan : plans) EXPECT_TRUE(fails(sample_by(plan), 2, "adadiff sample: ")) << plan;
}

TEST_F(Hostile, SurvivesDeepAndLongPlans) {
  EXPECT_TRUE(fails(sample_by(repeat("[", 200000)), 2, "plan"));
  EXPECT_TRUE(fails(sample_by(R"({"below": [)" + repeat("1", 2000000) + "]}"), 2, "plan"));
  EXPECT_TRUE(fails(sample_by(R"({")" + repeat("x", 1 << 20) + R"(": 1})"), 2, "plan"));
}

TEST_F(Hostile, RefusesPlansThatAreNoFiles) {
  const std::string model = folder_ / "tiny.safetensors";
  EXPECT_TRUE(fails(run_copy({"sample", model, "--plan", folder_ / "none.json", "--json"}), 1,
                    "none.json"));
  EXPECT_TRUE(
      fails(run_copy({"sample", model, "--plan", folder_ / ".", "--json"}), 1, "adadiff sample: "));
  EXPECT_TRUE(fails(run_copy({"sample", model, "--plan", "/dev/zero", "--json"}), 1, "/dev/zero"));
}

TEST_F(Hostile, SurvivesFlagsInAnyOrder) {
  const std::vector<std::string> words = {"--count",
                                          "--steps",
                                          "--solver",
                                          "--grid",
                                          "--seed",
                                          "--class",
                                          "--guidance",
                                          "--eta",
                                          "--threads",
                                          "--batch",
                                          "--device",
                                          "--threshold",
                                          "--plan",
                                          "--full-depth",
                                          "--noise",
                                          "--columns",
                                          "--json",
                                          "--clamp",
                                          "1",
                                          "0",
                                          "-1",
                                          "2",
                                          "1e9",
                                          "nan",
                                          "inf",
                                          "-inf",
                                          "0x10",
                                          "",
                                          " ",
                                          "all",
                                          "0,,1",
                                          "ddim",
                                          "heun",
                                          "uniform",
                                          "cpu",
                                          "cuda",
                                          "99999999999999999999",
                                          "\xff\xfe",
                                          "--",
                                          "-",
                                          "%s%n",
                                          "--count=2",
                                          "--steps=1",
                                          "--eta=0.5"};
  for (int i = 0; i < 200; ++i) {
    std::vector<std::string> arguments{"sample", folder_ / "tiny.safetensors", "--trace",
                                       folder_ / "trace.json"};
    for (std::size_t n = 1 + below(5); n > 0; --n) arguments.push_back(words[below(words.size())]);
    std::string line;
    for (const std::string& argument : arguments) line += argument + " ";
    EXPECT_TRUE(ends_well(run_copy(arguments))) << line;
  }
}

TEST_F(Hostile, SurvivesBadArrays) {
  const std::string magic("\x93NUMPY\x01\x00", 8);
  const std::string arrays[] = {
      "",
      "\x93NUMPY",
      magic + std::string("\x02\x00{}", 4),
      magic + std::string("\xff\xff{}", 4),
      magic + std::string("\x46\x00", 2) +
          "{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999,1,8,8), }",
      magic + std::string("\x3c\x00", 2) +
          "{'descr': '<f4', 'fortran_order': True, 'shape': (1,1,8,8), }",
      magic + std::string("\x3c\x00", 2) +
          "{'descr': '|O8', 'fortran_order': False, 'shape': (1,1,8,8),}"};
  for (const std::string& array : arrays) {
    write_bytes(folder_ / "noise.npy", array);
    EXPECT_TRUE(fails(run_copy({"sample", folder_ / "tiny.safetensors", "--json", "--noise",
                                folder_ / "noise.npy"}),
                      1, "noise.npy"));
  }
}

}  // namespace
}  // namespace adadiff::testing
