// `adadiff tune` on a tiny model.
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/tiny_model.h"

namespace adadiff::testing {
namespace {

class Tune : public ::testing::Test {
 protected:
  Tune() { write_tiny_model(model_); }
  Outcome tune(std::vector<std::string> flags) const {
    std::vector<std::string> words = {"tune", model_, "--samples", "4", "--reference-steps", "8", "-o", plan_};
    words.insert(words.end(), flags.begin(), flags.end());
    return run(words);
  }

  ScratchFolder folder_;
  std::string model_ = folder_ / "model", plan_ = folder_ / "plan.json";
};

TEST_F(Tune, WritesAPlanThatSampleRunsWithinTheBudget) {
  const Outcome tuned = tune({"--budget", "2", "--json"});
  ASSERT_TRUE(succeeds(tuned));
  const auto best = nlohmann::json::parse(tuned.out).at("best");
  EXPECT_LE(best.at("full_evaluations").get<double>(), 2);
  const Outcome sampled = run({"sample", model_, "--plan", plan_, "--class", "all", "--count", "4", "--json"});
  ASSERT_TRUE(succeeds(sampled));
  EXPECT_EQ(nlohmann::json::parse(sampled.out).at("steps"), best.at("steps"));
}

TEST_F(Tune, ReportsKeysThatItsPageExplains) {
  const Outcome tuned = tune({"--budget", "2", "--json"});
  ASSERT_TRUE(succeeds(tuned));
  EXPECT_EQ(unexplained_keys(nlohmann::json::parse(tuned.out), "docs/evaluation.md"), "");
}

TEST_F(Tune, SaysWhatItTriedAndWhichIsBest) {
  const Outcome tuned = tune({"--budget", "2"});
  ASSERT_TRUE(succeeds(tuned));
  EXPECT_NE(tuned.out.find("best  "), std::string::npos);
  EXPECT_NE(tuned.out.find("written  " + plan_), std::string::npos);
}

TEST_F(Tune, KeepsToOneThresholdWhereAsked) {
  const auto tilts = [&](std::vector<std::string> flags) {
    flags.insert(flags.end(), {"--budget", "2", "--json"});
    const auto report = nlohmann::json::parse(tune(flags).out);
    std::set<double> seen;
    for (const auto& trial : report.at("trials")) seen.insert(trial.at("tilt").get<double>());
    return seen;
  };
  EXPECT_EQ(tilts({"--one-threshold"}), std::set<double>{1});
  EXPECT_GT(tilts({}).size(), 1u);
}

TEST_F(Tune, RefusesStepsSinceItChoosesThem) {
  EXPECT_TRUE(fails(tune({"--steps", "5"}), 2, "--steps: must be left out, since tune chooses it"));
}

TEST_F(Tune, RefusesABudgetBelowOneEvaluation) { EXPECT_TRUE(fails(tune({"--budget", "0.5"}), 2, "--budget")); }

TEST_F(Tune, WritesNoPlanOverItsModel) { EXPECT_TRUE(fails(run({"tune", model_, "-o", model_}), 2, "--output")); }

}  // namespace
}  // namespace adadiff::testing
