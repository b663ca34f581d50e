// Strict parsing of numbers.
#include "cli/flags.h"

#include <gtest/gtest.h>

namespace adadiff::cli {
namespace {

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

}  // namespace
}  // namespace adadiff::cli
