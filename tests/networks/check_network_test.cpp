// check_network tells what is wrong with networks that break their promises.
#include <string>

#include <gmock/gmock.h>

#include <adadiff/error.h>
#include <adadiff/trainable_network.h>

#include "support/adding_network.h"

namespace adadiff {
namespace {

using test::Adding;
using test::Flaw;
using testing::HasSubstr;

std::string complaint(Flaw flaw) {
  Adding network(flaw);
  try {
    check_network(network);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(CheckNetwork, PassesOneThatKeepsItsPromises) {
  EXPECT_EQ(complaint(Flaw::None), "");
  Adding padded(Flaw::None, 2, 4);
  EXPECT_NO_THROW(check_network(padded));
}

TEST(CheckNetwork, NamesABrokenPromise) {
  EXPECT_EQ(complaint(Flaw::TooFewExits),
            "NetworkInfo.can_exit: must have 3 entries, one per block, but has 2");
  EXPECT_EQ(complaint(Flaw::TooFewOutputs),
            "network \"adding\": must give an output per block, 3, but gives 2");
  EXPECT_EQ(complaint(Flaw::FlatPrediction),
            "network \"adding\": must give [4, 1, 2, 2] as output 0: prediction, but it is [4, 4]");
  EXPECT_EQ(complaint(Flaw::NoUncertainty),
            "network \"adding\": must give [4, 1, 2, 2] or [4] as output 0: uncertainty, but it is "
            "undefined");
  EXPECT_THAT(complaint(Flaw::Logits),
              HasSubstr("must give uncertainties in [0, 1], but those of output 0 go from "));
  EXPECT_EQ(complaint(Flaw::NameTwice),
            "network \"adding\": must show each parameter once, but shows \"weight.0\" twice");
  EXPECT_EQ(complaint(Flaw::NoPass),
            "network \"adding\": must make a pass, but new_pass gives none");
}

TEST(CheckNetwork, FindsPassesThatDoNotGiveWhatOutputsGives) {
  EXPECT_THAT(complaint(Flaw::KeepsAllRows),
              HasSubstr("must give in its passes what outputs() gives, to 0.001 of the largest "
                        "value, but predict of 2 rows after block 2 differs by "));
  EXPECT_THAT(complaint(Flaw::MixesRows), HasSubstr("predict of 1 rows after block 1 differs by "));
  EXPECT_THAT(complaint(Flaw::OtherScores), HasSubstr("score of 4 rows after block 1 differs by "));
}

}  // namespace
}  // namespace adadiff
