// `adadiff evaluate` and `adadiff train-classifier` on tiny files.
#include <chrono>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <adadiff/image.h>

#include "cli/command.h"
#include "cli/tiny_model.h"
#include "features/classifier.h"
#include "metrics/statistics_file.h"
#include "models/model_file.h"

namespace adadiff::testing {
namespace {

using nlohmann::json;

class Evaluate : public ::testing::Test {
 protected:
  Evaluate() {
    write_tiny_model(model_);
    write_tiny_classifier(features_);
    write_tiny_pictures(real_);
  }
  /// The 12 images that --images wrote, as pictures in a folder.
  static void write_pictures(const std::string& npy, const std::string& folder) {
    std::filesystem::create_directories(folder);
    for (std::size_t i = 0; i < 12; ++i) {
      const auto first = npy.end() - static_cast<std::ptrdiff_t>((12 - i) * 64);
      const Images image{
          .count = 1, .height = 8, .width = 8, .channels = 1, .pixels = {first, first + 64}};
      write_png(image, folder + "/" + std::to_string(10 + i) + ".png");
    }
  }
  Outcome evaluate(std::vector<std::string> flags) const {
    std::vector<std::string> words = {"evaluate", model_, "--samples", "12", "--steps", "2"};
    words.insert(words.end(), flags.begin(), flags.end());
    return run(words);
  }
  json report(std::vector<std::string> flags) const {
    flags.push_back("--json");
    const Outcome outcome = evaluate(std::move(flags));
    EXPECT_TRUE(succeeds(outcome));
    return outcome.exit_code == 0 ? json::parse(outcome.out) : json();
  }

  ScratchFolder folder_;
  std::string model_ = folder_ / "model", features_ = folder_ / "tiny-classifier",
              real_ = folder_ / "real";
};

TEST_F(Evaluate, TellsThePairedErrorWithoutAReference) {
  const json found = report({"--threshold", "0.5", "--paired", "6"});
  EXPECT_FALSE(found.contains("frechet"));
  EXPECT_EQ(found.at("paired").at("samples"), 6);
  EXPECT_EQ(found.at("paired").at("prediction_samples"), 6);
  EXPECT_EQ(found.at("paired").at("predictions").size(), 2);
  EXPECT_LT(found.at("full_evaluations").get<double>(), 2);
}

TEST_F(Evaluate, FindsNoErrorOfFullDepthToItself) {
  const json paired = report({"--full-depth"}).at("paired");
  EXPECT_EQ(paired.at("mse"), 0);
  EXPECT_TRUE(paired.at("psnr_db").is_null());
}

TEST_F(Evaluate, MeasuresAgainstAFolderOfPictures) {
  const json found = report({"--full-depth", "--paired", "0", "--reference", real_, "--features",
                             features_, "--groups", "5", "--subset-size", "12"});
  EXPECT_TRUE(found.at("kid_deviation").is_null());  // of subsets that hold all 12 images
  for (const char* key : {"frechet", "kid", "precision", "recall", "class_agreement"})
    EXPECT_TRUE(found.at(key).is_number()) << key;
  EXPECT_EQ(found.at("references"), 12);
  EXPECT_EQ(found.at("kid_subset_size"), 12);
  EXPECT_EQ(found.at("kid_groups").at("without_group").size(), 5);
  EXPECT_GT(found.at("kid_groups").at("half_width_95").get<double>(), 0);
  EXPECT_EQ(found.at("features"), "tiny, a small classifier (not comparable to published FID)");
}

TEST_F(Evaluate, ReportsKeysThatItsPageExplains) {
  const json found = report(
      {"--threshold", "0.5", "--reference", real_, "--features", features_, "--groups", "5"});
  EXPECT_EQ(unexplained_keys(found, "docs/evaluation.md"), "");
}

TEST_F(Evaluate, GivesTheSameNumbersFromASavedReference) {
  const std::string saved = folder_ / "real.npz";
  const json first = report(
      {"--paired", "0", "--reference", real_, "--features", features_, "--save-reference", saved});
  const json second = report({"--paired", "0", "--reference", saved, "--features", features_});
  for (const char* key : {"frechet", "kid", "precision", "recall"})
    EXPECT_EQ(first.at(key), second.at(key)) << key;
}

TEST_F(Evaluate, TellsTheTextureBesideTheClassifiersNumbers) {
  const json found = report(
      {"--paired", "0", "--reference", real_, "--features", features_, "--groups", "5"});
  const json& texture = found.at("texture");
  for (const char* key : {"frechet", "kid", "precision", "recall", "total_variation_ratio"})
    EXPECT_TRUE(texture.at(key).is_number()) << key;
  EXPECT_EQ(texture.at("spectrum_db").size(), 5);  // 4 rings and the corners
  for (const char* key : {"frechet_groups", "kid_groups"})
    EXPECT_EQ(texture.at(key).at("without_group").size(), 5) << key;
  EXPECT_NE(texture.at("frechet"), found.at("frechet"));
}

TEST_F(Evaluate, FindsNoOtherTextureInTheImagesThemselves) {
  const std::string images = folder_ / "images.npy", same = folder_ / "same";
  report({"--paired", "0", "--images", images});
  write_pictures(read_bytes(images), same);
  const json texture = report({"--paired", "0", "--reference", same, "--features", features_})
                           .at("texture");
  EXPECT_NEAR(texture.at("frechet").get<double>(), 0, 1e-6);
  EXPECT_NEAR(texture.at("total_variation_ratio").get<double>(), 1, 1e-12);
  for (const json& band : texture.at("spectrum_db")) EXPECT_NEAR(band.get<double>(), 0, 1e-9);
}

TEST_F(Evaluate, MeasuresWithTextureAlone) {
  const json found = report({"--paired", "0", "--reference", real_, "--features", "texture"});
  EXPECT_EQ(found.at("frechet"), found.at("texture").at("frechet"));
  EXPECT_FALSE(found.contains("class_agreement"));
  EXPECT_EQ(found.at("features"), "texture (grain only; it says nothing of content)");
}

TEST_F(Evaluate, TellsTheSameTextureFromASavedReference) {
  const std::string saved = folder_ / "real.npz";
  const json first = report(
      {"--paired", "0", "--reference", real_, "--features", features_, "--save-reference", saved});
  EXPECT_EQ(report({"--paired", "0", "--reference", saved, "--features", features_}).at("texture"),
            first.at("texture"));
}

TEST_F(Evaluate, TellsNoTextureWithoutImagesOfTheModelsSize) {
  const std::string saved = folder_ / "real.npz", old = folder_ / "old.npz",
                    other = folder_ / "other.npz";
  report(
      {"--paired", "0", "--reference", real_, "--features", features_, "--save-reference", saved});
  detail::Reference reference = detail::read_reference(saved);
  reference.texture->width = 9;  // which has as many bands
  detail::write_reference(other, reference);
  reference.texture.reset();
  detail::write_reference(old, reference);
  for (const std::string& path : {old, other}) {
    const json found = report({"--paired", "0", "--reference", path, "--features", features_});
    EXPECT_TRUE(found.contains("kid"));
    EXPECT_FALSE(found.contains("texture"));
  }
}

TEST_F(Evaluate, TakesAtMostSoManyOfASavedReference) {
  const std::string saved = folder_ / "real.npz";
  report(
      {"--paired", "0", "--reference", real_, "--features", features_, "--save-reference", saved});
  const json all = report({"--paired", "0", "--reference", saved, "--features", features_});
  const json some = report(
      {"--paired", "0", "--reference", saved, "--features", features_, "--references", "6"});
  const json same = report(
      {"--paired", "0", "--reference", real_, "--features", features_, "--references", "6"});
  EXPECT_EQ(all.at("references"), 12);
  EXPECT_EQ(some.at("references"), 6);
  EXPECT_EQ(some.at("kid"), same.at("kid"));
}

TEST_F(Evaluate, ComparesStepsOfASolverThatDrawsNoiseWithTheSameSteps) {
  EXPECT_EQ(
      report({"--solver", "ddpm", "--full-depth", "--paired-steps", "2"}).at("paired").at("mse"),
      0);
}

TEST_F(Evaluate, LeavesLaterWithIdealScoresWhereLearnedOnesAreSure) {
  const json learned = report({"--threshold", "0.9", "--paired", "0"}),
             ideal = report({"--threshold", "0.0001", "--paired", "0", "--scores", "ideal"});
  EXPECT_LT(learned.at("mean_exit_depth").get<double>(), ideal.at("mean_exit_depth").get<double>());
  EXPECT_TRUE(ideal.at("wall_ms").is_null());
}

TEST_F(Evaluate, SaysItInWords) {
  const Outcome outcome = evaluate(
      {"--threshold", "0.5", "--reference", real_, "--features", features_});
  ASSERT_TRUE(succeeds(outcome));
  for (const char* word : {"Fréchet", "KID x 1000", "precision", "class agreement", "paired error",
                           "texture          Fréchet", "1 is best", "0 is best"}) {
    EXPECT_NE(outcome.out.find(word), std::string::npos) << word << "\n" << outcome.out;
  }
}

TEST_F(Evaluate, RefusesWhatCannotBeMeant) {
  EXPECT_TRUE(fails(evaluate({"--scores", "best"}), 2,
                    "--scores: must be learned or ideal, but is \"best\""));
  EXPECT_TRUE(fails(evaluate({"--save-reference", folder_ / "x.npz"}), 2,
                    "--save-reference requires --reference"));
  EXPECT_TRUE(fails(evaluate({"--groups", "5"}), 2, "--groups requires --reference"));
  EXPECT_TRUE(fails(evaluate({"--features", model_}), 1, "adadiff-classifier"));
  EXPECT_TRUE(
      fails(evaluate({"--features", features_, "--reference", folder_ / "none"}), 1, "none"));
  EXPECT_TRUE(fails(evaluate({"--images", model_}), 2, "--images"));
  EXPECT_TRUE(fails(evaluate({"--solver", "ddpm", "--paired-steps", "3"}), 2,
                    "--paired-steps: must be left out with a solver that draws"));
}

TEST_F(Evaluate, RefusesTooFewImagesBeforeItDrawsThem) {
  const std::string images = folder_ / "images.npy";
  const auto drawn = [&](std::vector<std::string> flags) {
    flags.insert(flags.end(), {"--reference", real_, "--features", features_, "--images", images});
    return evaluate(std::move(flags));
  };
  EXPECT_TRUE(fails(drawn({"--groups", "7"}), 2, "groups: must be in [5, 6], but is 7"));
  EXPECT_TRUE(fails(run({"evaluate", model_, "--samples", "1", "--reference", real_, "--features",
                         features_, "--images", images}),
                    2, "samples: must be at least 2 for a distance, but are 1"));
  EXPECT_FALSE(std::filesystem::exists(images));
}

TEST_F(Evaluate, KeepsToTheModelThatItOpened) {
  // Whenever the file is replaced, before, during or after the run: all of the report is of one
  // model.
  const std::string other = folder_ / "other";
  write_tiny_model(
      other,
      R"({"network": {"kind": "uvit", "image_size": 8, "channels": 1, "patch_size": 4, "width": 8, "depth": 4,
                          "heads": 2, "label_rows": 4}})");
  std::jthread replacing([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(600));
    std::filesystem::rename(other, model_);
  });
  const Outcome outcome = run(
      {"evaluate", model_, "--samples", "3000", "--threshold", "0.5", "--steps", "10", "--json"});
  ASSERT_TRUE(succeeds(outcome));
  const json found = json::parse(outcome.out);
  EXPECT_EQ(found.at("paired").at("predictions").at(0).at("exits").size(), found.at("blocks"));
}

TEST_F(Evaluate, LooksAtItsReferenceBeforeItDraws) {
  const Outcome outcome = run({"evaluate", model_, "--samples", "100000", "--steps", "1000",
                               "--features", features_, "--reference", folder_ / "none"});
  EXPECT_TRUE(fails(outcome, 1, "none"));  // within the time of a test
}

TEST_F(Evaluate, LeavesClassAgreementOutWhereTheClassifierHasOtherNames) {
  detail::ClassifierConfig config;
  config.size = 8;
  config.classes = 3;
  config.name = "other";
  config.class_names = {"x", "y", "z"};
  detail::Classifier classifier(config);
  classifier.initialise(1);
  write_classifier(classifier, folder_ / "other");
  detail::Model named = detail::read_model(model_);
  named.class_names = {"a", "b", "c"};
  write_model(named, model_);
  const Outcome outcome = evaluate({"--features", folder_ / "other", "--paired", "0", "--json"});
  ASSERT_TRUE(succeeds(outcome));
  EXPECT_FALSE(json::parse(outcome.out).contains("class_agreement"));
  EXPECT_NE(outcome.err.find("does not know the model's classes by name"), std::string::npos);
}

TEST_F(Evaluate, RefusesAReferenceOfOtherFeatures) {
  const std::string other = ADADIFF_TEST_DATA "/statistics.npz";
  EXPECT_TRUE(fails(evaluate({"--features", features_, "--reference", other}), 1,
                    "must hold features of 128 numbers"));
}

TEST_F(Evaluate, RefusesImagesWhoseTextureHasOtherBandsBeforeItDraws) {
  const Outcome outcome = run({"evaluate", model_, "--samples", "100000", "--steps", "1000",
                               "--features", "texture", "--reference",
                               ADADIFF_TEST_DATA "/images.npz"});
  EXPECT_TRUE(fails(
      outcome, 1,
      "arr_0: must hold images with 8 features each, as the model's have, but has 6; bring them"));
}

TEST_F(Evaluate, TrainsItsClassifierFromAFolder) {
  const std::string trained = folder_ / "trained";
  const Outcome outcome = run({"train-classifier", "-o", trained, "--images", real_,
                               "--test-images", real_, "--size", "8", "--epochs", "20", "--batch",
                               "4", "--json"});
  ASSERT_TRUE(succeeds(outcome));
  EXPECT_EQ(json::parse(outcome.out).at("accuracy"), 1);
  EXPECT_EQ(detail::read_classifier(trained)->config().class_names,
            (std::vector<std::string>{"dark", "light"}));
}

TEST_F(Evaluate, HoldsTestImagesOutWhereNoneAreGiven) {
  const Outcome outcome = run({"train-classifier", "-o", folder_ / "c", "--images", real_, "--size",
                               "8", "--epochs", "20", "--batch", "4", "--json"});
  ASSERT_TRUE(succeeds(outcome));
  EXPECT_EQ(json::parse(outcome.out).at("test_images"), 2);
  EXPECT_EQ(json::parse(outcome.out).at("held_out"), true);
  EXPECT_EQ(detail::read_classifier(folder_ / "c")->config().accuracy,
            json::parse(outcome.out).at("accuracy"));
}

TEST_F(Evaluate, RefusesTestImagesThatTellNothingBeforeItTrains) {
  const std::vector<std::string> words = {
      "train-classifier", "-o", folder_ / "x", "--images", real_, "--size", "8", "--test-images"};
  const auto with = [&](const std::string& test) {
    std::vector<std::string> all = words;
    all.push_back(test);
    return run(all);
  };
  EXPECT_TRUE(fails(with(real_ + "/dark"), 2, "test images: must have labels, but have none"));
  EXPECT_TRUE(
      fails(run({"train-classifier", "-o", folder_ / "x", "--test-images", real_}), 2, "--images"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "x"));
}

TEST_F(Evaluate, TrainsNoClassifierWithoutClasses) {
  EXPECT_TRUE(fails(
      run({"train-classifier", "-o", folder_ / "x", "--images", real_ + "/dark", "--size", "8"}), 2,
      "labels: must tell at least 2 classes"));
  EXPECT_TRUE(fails(run({"train-classifier", "-o", folder_ / "x", "--data", folder_ / "none"}), 1,
                    "--data"));
}

}  // namespace
}  // namespace adadiff::testing
