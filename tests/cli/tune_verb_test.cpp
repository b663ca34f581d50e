// `adadiff tune` on a tiny model.
#include <algorithm>
#include <set>
#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/tiny_model.h"
#include "metrics/statistics_file.h"

namespace adadiff::testing {
namespace {

class Tune : public ::testing::Test {
 protected:
  Tune() { write_tiny_model(model_); }
  Outcome tune(std::vector<std::string> flags) const {
    std::vector<std::string> words = {"tune", model_, "--samples", "4", "--reference-steps",
                                      "8",    "-o",   plan_};
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
  const Outcome sampled = run(
      {"sample", model_, "--plan", plan_, "--class", "all", "--count", "4", "--json"});
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

TEST_F(Tune, RefusesABudgetBelowOneEvaluation) {
  EXPECT_TRUE(fails(tune({"--budget", "0.5"}), 2, "--budget"));
}

TEST_F(Tune, WritesNoPlanOverItsModel) {
  EXPECT_TRUE(fails(run({"tune", model_, "-o", model_}), 2, "--output"));
}

class TuneByDistance : public Tune {
 protected:
  TuneByDistance() {
    write_tiny_classifier(features_);
    write_tiny_pictures(real_);
  }
  Outcome by_distance(const std::string& objective, std::vector<std::string> flags = {}) const {
    std::vector<std::string> words = {"tune",          model_, "--samples",   "20",
                                      "--budget",      "2",    "--objective", objective,
                                      "--reference",   real_,  "--features",  features_,
                                      "--most-trials", "8",    "-o",          plan_};
    words.insert(words.end(), flags.begin(), flags.end());
    return run(words);
  }
  nlohmann::json report(const std::string& objective, std::vector<std::string> flags = {}) const {
    flags.push_back("--json");
    const Outcome tuned = by_distance(objective, std::move(flags));
    EXPECT_TRUE(succeeds(tuned));
    return nlohmann::json::parse(tuned.out);
  }

  std::string features_ = folder_ / "classifier", real_ = folder_ / "real";
};

TEST_F(TuneByDistance, WritesAPlanThatSampleRuns) {
  const auto best = report("kid").at("best");
  const Outcome sampled = run(
      {"sample", model_, "--plan", plan_, "--class", "all", "--count", "4", "--json"});
  ASSERT_TRUE(succeeds(sampled));
  EXPECT_EQ(nlohmann::json::parse(sampled.out).at("steps"), best.at("steps"));
}

TEST_F(TuneByDistance, MeasuresTheDistanceThatItIsAskedFor) {
  const auto kid = report("kid").at("full_depth").at("distance"),
             frechet = report("frechet").at("full_depth").at("distance");
  const auto found = [&](const std::string& key) {
    const Outcome outcome = run({"evaluate", model_, "--full-depth", "--steps", "2", "--samples",
                                 "20", "--paired", "0", "--reference", real_, "--features",
                                 features_, "--groups", "10", "--json"});
    return nlohmann::json::parse(outcome.out).at(key).at("all");
  };
  EXPECT_EQ(kid, found("kid_groups"));
  EXPECT_EQ(frechet, found("frechet_groups"));
}

TEST_F(TuneByDistance, ReportsKeysThatItsPageExplains) {
  EXPECT_EQ(unexplained_keys(report("kid"), "docs/evaluation.md"), "");
}

TEST_F(TuneByDistance, TellsWhereNothingKeepsTheRecallThatItIsAskedFor) {
  const Outcome tuned = by_distance("kid", {"--recall-floor", "1", "--json"});
  ASSERT_EQ(tuned.exit_code, 0);
  EXPECT_NE(
      tuned.err.find("no plan within the budget kept a recall of 1; writing plain full depth"),
      std::string::npos)
      << tuned.err;
  const auto report = nlohmann::json::parse(tuned.out);
  EXPECT_EQ(report.at("keeps_floor"), false);
  EXPECT_EQ(report.at("best"), report.at("full_depth"));
  EXPECT_EQ(report.at("recall_floor"), 1);
}

TEST_F(TuneByDistance, LeavesGuidesOutWhereAsked) {
  const auto guided = [](const nlohmann::json& trial) { return trial.at("guide_weight") != 1; };
  const auto with = report("kid").at("trials"),
             without = report("kid", {"--no-guide"}).at("trials");
  EXPECT_TRUE(std::any_of(with.begin(), with.end(), guided));
  EXPECT_TRUE(std::none_of(without.begin(), without.end(), guided));
}

TEST_F(TuneByDistance, SaysWhatWasGained) {
  const Outcome tuned = by_distance("kid");
  ASSERT_TRUE(succeeds(tuned));
  for (const char* part : {"KID x 1000", "recall", "\nplain ", "\nbest  ", "gain ",
                           "on the noise that chose it", "written  "}) {
    EXPECT_NE(tuned.out.find(part), std::string::npos) << part << "\n" << tuned.out;
  }
}

TEST_F(TuneByDistance, RefusesWhatDoesNotGoTogether) {
  EXPECT_TRUE(fails(by_distance("psnr"), 2,
                    "--objective: must be paired, kid or frechet, but is \"psnr\""));
  EXPECT_TRUE(fails(tune({"--budget", "2", "--objective", "kid"}), 2,
                    "--objective kid: must go with --reference"));
  EXPECT_TRUE(fails(by_distance("kid", {"--one-threshold"}), 2,
                    "--one-threshold: must go with --objective paired"));
  EXPECT_TRUE(fails(by_distance("kid", {"--reference-steps", "9"}), 2,
                    "--reference-steps: must go with --objective paired"));
  EXPECT_TRUE(fails(tune({"--budget", "2", "--no-guide"}), 2, "--no-guide"));
  EXPECT_TRUE(fails(tune({"--budget", "2", "--reference", real_}), 2,
                    "--reference: must go with --objective kid or frechet"));
}

TEST_F(TuneByDistance, RefusesAReferenceThatHasStatisticsOnly) {
  const std::string saved = folder_ / "saved.npz", statistics = folder_ / "statistics.npz";
  ASSERT_TRUE(succeeds(by_distance("kid", {"--save-reference", saved})));
  detail::Reference reference = detail::read_reference(saved, {});
  reference.features.reset();
  detail::write_reference(statistics, reference);
  real_ = statistics;
  EXPECT_TRUE(fails(by_distance("frechet"), 2,
                    "--reference: must have images, or features of each, for the recall, but " +
                        statistics + " has statistics only"));
}

}  // namespace
}  // namespace adadiff::testing
