#include "core/check.h"

#include <gmock/gmock.h>
#include <limits>

#include "core/kernel_status.h"

namespace adadiff::detail {
namespace {

using testing::HasSubstr;

std::string message_of(auto&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(KernelStatus, IsAnErrorUnlessItIsOk) {
  EXPECT_EQ(message_of([] { require_ok(kernels::Status::Ok, "fill_normal"); }),
            "nothing was thrown");
  EXPECT_EQ(message_of([] { require_ok(kernels::Status::Unsupported, "fill_normal"); }),
            std::string("fill_normal: must run on this device with its arguments, but reported: ") +
                to_string(kernels::Status::Unsupported));
}

TEST(Check, MessageNamesPlaceRuleAndValue) {
  EXPECT_EQ(to_message({"Request.steps", "be in [1, 1000]", "is 0"}),
            "Request.steps: must be in [1, 1000], but is 0");
}

TEST(Check, AdviceFollowsASemicolon) {
  EXPECT_EQ(to_message({"a", "be b", "is c", "do d"}), "a: must be b, but is c; do d");
}

TEST(Check, RaisesTheChosenType) {
  EXPECT_THROW(raise<FileError>({"a", "b", "c"}), FileError);
  EXPECT_THROW(raise({"a", "b", "c"}), InvalidArgument);
}

TEST(Check, ShowsDoublesInTheirShortestForm) {
  EXPECT_EQ(show(0.1), "0.1");
  EXPECT_EQ(show(1e300), "1e+300");
  EXPECT_EQ(show(3.0), "3");
}

TEST(Check, ShowsValuesThatAreNoNumbers) {
  EXPECT_EQ(show(std::numeric_limits<double>::quiet_NaN()), "nan");
  EXPECT_EQ(show(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(show(-std::numeric_limits<double>::infinity()), "-inf");
}

TEST(Check, QuotesAndEscapesText) {
  EXPECT_EQ(show(std::string("a\"\n\x01")), "\"a\\\"\\n\\x01\"");
}

TEST(Check, CutsLongTextAfterSixtyCharacters) {
  EXPECT_EQ(show(std::string(100, 'x')), '"' + std::string(60, 'x') + "...\"");
}

TEST(Check, CutsBetweenCharactersOfUtf8) {
  EXPECT_EQ(show(std::string(59, 'x') + "\xc3\xa9tude"), '"' + std::string(59, 'x') + "...\"");
}

TEST(Check, RangeAcceptsItsEnds) {
  EXPECT_NO_THROW(require_range("a", 1.0, 1.0, 2.0));
  EXPECT_NO_THROW(require_range("a", 2.0, 1.0, 2.0));
}

TEST(Check, RangeNamesTheValueOutsideIt) {
  EXPECT_THAT(message_of([] { require_range("eta", 1.5, 0.0, 1.0); }),
              HasSubstr("eta: must be in [0, 1], but is 1.5"));
  EXPECT_THAT(message_of([] { require_range("steps", 0, 1, 9); }),
              HasSubstr("steps: must be in [1, 9], but is 0"));
}

TEST(Check, RangeRefusesNan) {
  EXPECT_THAT(message_of([] { require_range("eta", std::nan(""), 0.0, 1.0); }),
              HasSubstr("but is nan"));
}

}  // namespace
}  // namespace adadiff::detail
