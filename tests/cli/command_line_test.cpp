// What holds for every verb: help, bad usage, exit codes, failing outputs.
#include "cli/command.h"
#include "cli/tiny_model.h"

namespace adadiff::testing {
namespace {

class EveryVerb : public ::testing::TestWithParam<const char*> {};

TEST_P(EveryVerb, ExplainsItsFlags) {
  const Outcome outcome = run({GetParam(), "--help"});
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.err, "");
  EXPECT_NE(outcome.out.find("Usage: adadiff " + std::string(GetParam())), std::string::npos)
      << outcome.out;
}

TEST_P(EveryVerb, RefusesUnknownFlags) {
  const Outcome outcome = run({GetParam(), "--no-such-flag"});
  EXPECT_TRUE(fails(outcome, 2, "command line: "));
  EXPECT_TRUE(fails(outcome, 2, "; see adadiff " + std::string(GetParam()) + " --help"));
}

INSTANTIATE_TEST_SUITE_P(CommandLine, EveryVerb,
                         ::testing::Values("sample", "train", "info", "forward", "convert"));

TEST(CommandLine, TellsItsVersion) {
  const Outcome outcome = run({"--version"});
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out.find_first_not_of("0123456789.\n"), std::string::npos) << outcome.out;
}

/// libgomp's settings as it shows them itself; empty where another OpenMP runs torch's threads.
std::string openmp_settings(std::vector<std::pair<std::string, std::string>> variables) {
  variables.emplace_back("OMP_DISPLAY_ENV", "verbose");
  const Outcome outcome = run({"--version"}, {.variables = std::move(variables)});
  return outcome.err.find("GOMP_SPINCOUNT") == std::string::npos ? "" : outcome.err;
}

TEST(CommandLine, LetsThreadsSleepSoonWhereTheyWait) {
  const std::string settings = openmp_settings({});
  if (settings.empty()) GTEST_SKIP() << "torch's threads are not libgomp's";
  EXPECT_NE(settings.find("GOMP_SPINCOUNT = '1000'"), std::string::npos) << settings;
}

TEST(CommandLine, LeavesTheUsersChoiceOfHowThreadsWait) {
  const std::string active = openmp_settings({{"OMP_WAIT_POLICY", "active"}});
  if (active.empty()) GTEST_SKIP() << "torch's threads are not libgomp's";
  EXPECT_NE(active.find("OMP_WAIT_POLICY = 'ACTIVE'"), std::string::npos) << active;
  EXPECT_EQ(active.find("GOMP_SPINCOUNT = '1000'"), std::string::npos) << active;
  EXPECT_NE(openmp_settings({{"GOMP_SPINCOUNT", "7"}}).find("GOMP_SPINCOUNT = '7'"),
            std::string::npos);
}

TEST(CommandLine, ListsItsVerbs) {
  const Outcome outcome = run({"--help"});
  EXPECT_TRUE(succeeds(outcome));
  for (const char* verb : {"sample", "train", "info", "forward", "convert"})
    EXPECT_NE(outcome.out.find(verb), std::string::npos);
}

TEST(CommandLine, NeedsAVerb) {
  EXPECT_TRUE(fails(run({}), 2, "; see adadiff --help"));
  EXPECT_TRUE(fails(run({"paint"}), 2, "must be one of those in adadiff --help, but is \"paint\""));
}

TEST(CommandLine, NamesItsRangesInHelp) {
  const std::string help = run({"sample", "--help"}).out;
  for (const char* range :
       {"N in [1, 1000000]", "N in [1, 10000]", "X in [0, 100]", "X in [0, 1]"}) {
    EXPECT_NE(help.find(range), std::string::npos) << range;
  }
}

TEST(CommandLine, SaysInOneLineThatResultsCannotBeWritten) {
  const ScratchFolder folder;
  write_tiny_model(folder / "tiny.safetensors");
  EXPECT_TRUE(fails(run({"info", folder / "tiny.safetensors"}, {.standard_output = "/dev/full"}), 1,
                    "No space left"));
  EXPECT_TRUE(fails(run({"info", folder / "tiny.safetensors"}, {.has_closed_pipe = true}), 1,
                    "Broken pipe"));
}

TEST(CommandLine, SaysInOneLineThatHelpCannotBeWritten) {
  EXPECT_TRUE(
      fails(run({"sample", "--help"}, {.standard_output = "/dev/full"}), 1, "No space left"));
}

TEST(CommandLine, KeepsControlCharactersOffTheTerminal) {
  const Outcome outcome = run({"info", "no\nsuch\x1b[31mfile"});
  EXPECT_TRUE(fails(outcome, 1, "adadiff info: "));
  EXPECT_EQ(outcome.err.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace adadiff::testing
