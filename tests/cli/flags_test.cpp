// Strict parsing of numbers.
#include "cli/flags.h"

#include <set>

#include <gmock/gmock.h>

#include <adadiff/noise_schedule.h>
#include <adadiff/training.h>

#include "cli/terminal/output.h"
#include "cli/verbs/verbs.h"
#include "core/names.h"
#include "diffusion/prediction.h"
#include "nn/uncertainty.h"
#include "training/option_names.h"

namespace adadiff::cli {
namespace {

TEST(Duration, ReadsAsPeopleSayIt) {
  EXPECT_EQ(duration(850), "850 ms");
  EXPECT_EQ(duration(12340), "12.3 s");
  EXPECT_EQ(duration(245000), "4 min 5 s");
  EXPECT_EQ(duration(7380000), "2 h 3 min");
}

TEST(Flags, TakeWholeNumbersInTheirRange) {
  EXPECT_EQ(parse_whole("--count", "010", {1, 20}), 10) << "not octal";
  EXPECT_EQ(parse_whole("--count", "-3", {-5, 20}), -3);
  for (const char* text :
       {"", " 1", "1 ", "1.0", "0x1", "1e3", "+1", "21", "99999999999999999999", "one"}) {
    EXPECT_THROW(parse_whole("--count", text, {1, 20}), CLI::ValidationError) << text;
  }
}

TEST(Flags, TakeNumbersInTheirRange) {
  EXPECT_EQ(parse_number("--eta", "2.5e-1", {0, 1}), 0.25);
  for (const char* text : {"", "nan", "inf", "-0.1", "1.1", "0,5", "1e999"}) {
    EXPECT_THROW(parse_number("--eta", text, {0, 1}), CLI::ValidationError) << text;
  }
}

TEST(Flags, NameFlagRangeAndValue) {
  try {
    parse_whole("--count", "0", {1, 20});
    FAIL();
  } catch (const CLI::ValidationError& error) {
    EXPECT_STREQ(error.what(), "--count: must be a whole number in [1, 20], but is \"0\"");
  }
}

struct VerbToBuild {
  const char* name;
  Action (*add)(CLI::App&);
};
constexpr VerbToBuild kVerbs[] = {
    {"sample", add_sample},     {"train", add_train},
    {"evaluate", add_evaluate}, {"train-classifier", add_train_classifier},
    {"tune", add_tune},         {"info", add_info},
    {"forward", add_forward},   {"convert", add_convert}};

/// Texts that name no file. A new flag belongs here, or is marked with reads() or writes().
const std::set<std::string> kNoFiles{"--class",
                                     "--solver",
                                     "--grid",
                                     "--device",
                                     "--loss",
                                     "--scores",
                                     "--objective",
                                     "--from",
                                     "--to",
                                     "--name",
                                     "--class-names",
                                     "--license",
                                     "--origin",
                                     "--help",
                                     "--target",
                                     "--weights",
                                     "--reduction",
                                     "--trained",
                                     "--optimiser",
                                     "--decay",
                                     "--times",
                                     "--schedule",
                                     "--prediction",
                                     "--precision",
                                     "--undecayed",
                                     "--uncertainty",
                                     "--weight-gradient",
                                     "--distilled-exits",
                                     "--run-solver"};

bool takes_number(const CLI::Option& flag) {
  const std::string type = flag.get_type_name();
  return type.starts_with("N ") || type.starts_with("X ") || type == "N";
}

TEST(Flags, ThatNameFilesAreMarked) {
  for (const VerbToBuild& verb : kVerbs) {
    CLI::App app;
    const Action action = verb.add(app);
    for (const CLI::Option* flag : all_flags(app)) {
      const std::string name = flag->get_positional() ? flag->get_name(true) : flag->get_name();
      if (flag->get_items_expected_max() == 0 || takes_number(*flag)) continue;
      EXPECT_TRUE(is_read(*flag) || is_written(*flag) || kNoFiles.contains(name))
          << verb.name << " " << name;
      EXPECT_FALSE(is_read(*flag) && is_written(*flag)) << verb.name << " " << name;
    }
  }
}

struct WordedFlag {
  const char* flag;
  std::vector<std::string> words;
};

TEST(Flags, OfATrainingListEveryWordThatTheyTake) {
  const WordedFlag cases[] = {{"--uncertainty", detail::names_in(detail::kUncertaintyForms)},
                              {"--prediction", detail::names_in(detail::kPredictions)},
                              {"--schedule", schedule_names()},
                              {"--times", detail::names_in(detail::kTimeDistributions)},
                              {"--trained", detail::names_in(detail::kTrainedParts)},
                              {"--target", detail::names_in(detail::kUncertaintyTargets)},
                              {"--weights", detail::names_in(detail::kLayerWeights)},
                              {"--weight-gradient", detail::names_in(detail::kWeightGradients)},
                              {"--reduction", detail::names_in(detail::kExitReductions)},
                              {"--distilled-exits", detail::names_in(detail::kDistilledExits)},
                              {"--optimiser", detail::names_in(detail::kOptimisers)},
                              {"--decay", detail::names_in(detail::kDecays)},
                              {"--precision", {"float32", "bfloat16"}},
                              {"--loss", loss_mode_names()}};
  CLI::App app;
  const Action action = add_train(app);
  for (const WordedFlag& worded : cases) {
    const std::string help = app.get_option(worded.flag)->get_description();
    for (const std::string& word : worded.words)
      EXPECT_THAT(help, testing::HasSubstr(word)) << worded.flag;
  }
}

}  // namespace
}  // namespace adadiff::cli
