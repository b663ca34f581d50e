#include "io/json_reader.h"

#include <gmock/gmock.h>

#include "io/test_files.h"

namespace adadiff::detail {
namespace {

using testing::HasSubstr;

JsonReader read(const std::string& text, const JsonLimits& limits = {}) {
  return JsonReader(text, "plan.json", limits);
}

std::string complaint(const std::string& text, const std::function<void(const JsonReader&)>& use,
                      const JsonLimits& limits = {}) {
  return message_of<InvalidArgument>([&] { use(read(text, limits)); });
}

void ignore(const JsonReader&) {}

constexpr const char* kPlan =
    R"({"format": 1, "rules": [{"until": 0.5}, {"below": "abc"}], "name": "x", "on": true, "none": null})";

TEST(JsonReader, ReadsEachType) {
  const JsonReader root = read(kPlan);
  EXPECT_EQ(root.field("format").as_int(0, 9), 1);
  EXPECT_EQ(root.field("format").as_double(0, 9), 1.0);
  EXPECT_EQ(root.field("rules").elements(2)[0].field("until").as_double(0, 1), 0.5);
  EXPECT_EQ(root.field("name").as_string(), "x");
  EXPECT_TRUE(root.field("on").as_bool());
}

enum class Pace { Slow, Fast };
constexpr Named<Pace> kPaces[] = {{Pace::Slow, "slow"}, {Pace::Fast, "fast"}};

TEST(JsonReader, ReadsTheValueThatAWordNames) {
  const auto pace = [](const JsonReader& json) { return named_value(json.field("pace"), kPaces); };
  EXPECT_EQ(pace(read(R"({"pace": "fast"})")), Pace::Fast);
  EXPECT_EQ(complaint(R"({"pace": "quick"})", pace),
            "plan.json: pace must be one of slow, fast, but is \"quick\"");
  EXPECT_EQ(complaint(R"({"pace": 1})", pace), "plan.json: pace must be a string, but is 1");
}

TEST(JsonReader, MissingAndNullAreNoOption) {
  EXPECT_FALSE(read(kPlan).optional("none").has_value());
  EXPECT_FALSE(read(kPlan).optional("other").has_value());
  EXPECT_TRUE(read(kPlan).optional("on").has_value());
}

TEST(JsonReader, KnowsTheTypeOfAValue) {
  EXPECT_TRUE(read("\"a\"").is_string());
  EXPECT_TRUE(read("1.5").is_number());
  EXPECT_TRUE(read("false").is_bool());
  EXPECT_TRUE(read("[]").is_array());
  EXPECT_TRUE(read("{}").is_object());
  EXPECT_FALSE(read("{}").is_array());
}

TEST(JsonReader, ReadsMembersInOrderOfTheirNames) {
  const auto members = read(R"({"b": 2, "a": 1})").members(2);
  EXPECT_EQ(members[0].first, "a");
  EXPECT_EQ(members[1].second.as_int(0, 9), 2);
}

TEST(JsonReader, ViewsKeepTheDocumentAlive) {
  const JsonReader name = read(kPlan).field("name");
  EXPECT_EQ(name.as_string(), "x");
}

TEST(JsonReader, ComplaintsNameFilePlaceAndValue) {
  EXPECT_EQ(complaint(kPlan,
                      [](const JsonReader& root) {
                        root.field("rules").elements(9)[1].field("below").as_double(0, 2);
                      }),
            "plan.json: rules[1].below must be a number in [0, 2], but is \"abc\"");
}

TEST(JsonReader, ComplaintsQuoteUnusualNames) {
  EXPECT_THAT(
      complaint(R"({"a.b": 1})", [](const JsonReader& root) { root.field("a.b").as_string(); }),
      HasSubstr("plan.json: \"a.b\" must be a string, but is 1"));
}

TEST(JsonReader, NamesAMissingField) {
  EXPECT_EQ(complaint("{}", [](const JsonReader& root) { root.field("format"); }),
            "plan.json: must have the field \"format\", but lacks it");
}

TEST(JsonReader, ListsTheKnownFieldsForAnUnknownOne) {
  EXPECT_EQ(complaint(R"({"a": 1, "c": 2})",
                      [](const JsonReader& root) {
                        root.allow_only({"a", "b"});
                      }),
            "plan.json: must have no fields but a, b, but has \"c\"");
}

TEST(JsonReader, RefusesNumbersOutOfRange) {
  EXPECT_THAT(complaint("3", [](const JsonReader& root) { root.as_int(0, 2); }),
              HasSubstr("must be an integer in [0, 2], but is 3"));
  EXPECT_THAT(complaint("18446744073709551615",
                        [](const JsonReader& root) { root.as_int(INT64_MIN, INT64_MAX); }),
              HasSubstr("but is 18446744073709551615"));
  EXPECT_THAT(complaint("1.0", [](const JsonReader& root) { root.as_int(0, 2); }),
              HasSubstr("must be an integer"));
  EXPECT_THAT(complaint("-0.5", [](const JsonReader& root) { root.as_double(0, 2); }),
              HasSubstr("but is -0.5"));
}

TEST(JsonReader, RefusesOtherTypes) {
  EXPECT_THAT(complaint("null", [](const JsonReader& root) { root.as_bool(); }),
              HasSubstr("must be true or false, but is null"));
  EXPECT_THAT(complaint("{}", [](const JsonReader& root) { root.elements(1); }),
              HasSubstr("must be an array, but is an object"));
  EXPECT_THAT(complaint("[1, 2]", [](const JsonReader& root) { root.field("a"); }),
              HasSubstr("must be an object, but is an array of 2"));
  EXPECT_THAT(complaint("1.5", [](const JsonReader& root) { root.as_string(); }),
              HasSubstr("must be a string, but is 1.5"));
}

TEST(JsonReader, BoundsLengths) {
  EXPECT_THAT(complaint("[1, 2]", [](const JsonReader& root) { root.elements(1); }),
              HasSubstr("at most 1 elements, but has 2"));
  EXPECT_THAT(complaint(R"({"a": 1})", [](const JsonReader& root) { root.members(0); }),
              HasSubstr("at most 0 fields, but has 1"));
  EXPECT_THAT(complaint("\"abc\"", [](const JsonReader& root) { root.as_string(2); }),
              HasSubstr("at most 2 bytes, but has 3"));
}

TEST(JsonReader, CallersMayComplainInTheirOwnWords) {
  EXPECT_EQ(
      complaint(kPlan,
                [](const JsonReader& root) { root.field("format").fail("be new", "is old"); }),
      "plan.json: format must be new, but is old");
}

TEST(JsonParse, RefusesRepeatedKeys) {
  EXPECT_THAT(complaint(R"({"a": 1, "a": 2})", ignore),
              HasSubstr("must name each key once, but repeats \"a\""));
  EXPECT_NO_THROW(read(R"([{"a": 1}, {"a": {"a": 2}}])"));
}

TEST(JsonParse, RefusesDeepNesting) {
  EXPECT_NO_THROW(read(std::string(64, '[') + std::string(64, ']')));
  EXPECT_THAT(complaint(std::string(65, '[') + std::string(65, ']'), ignore),
              HasSubstr("must be nested at most 64 deep"));
  EXPECT_THAT(complaint(std::string(1'000'000, '['), ignore),
              HasSubstr("must be nested at most 64 deep"));
}

TEST(JsonParse, BoundsBytesAndValues) {
  EXPECT_THAT(complaint("[1, 2]", ignore, {.bytes = 5}),
              HasSubstr("must have at most 5 bytes of JSON, but has 6"));
  EXPECT_THAT(complaint("[1, 2]", ignore, {.values = 2}),
              HasSubstr("must hold at most 2 values, but holds more"));
}

TEST(JsonParse, SaysWhereTheTextIsNoJson) {
  EXPECT_THAT(complaint("{\"a\": }", ignore),
              HasSubstr("plan.json: must be JSON, but is not: parse error at line 1, column 7"));
  EXPECT_THAT(complaint("[1] 2", ignore), HasSubstr("must be JSON"));
  EXPECT_THAT(complaint("1e999", ignore), HasSubstr("must be JSON"));
  EXPECT_THAT(complaint("[NaN]", ignore), HasSubstr("must be JSON"));
  EXPECT_THAT(complaint("\"\xff\"", ignore), HasSubstr("must be JSON"));
}

TEST(JsonParse, RefusesTextBehindAZeroByte) {
  EXPECT_THAT(complaint(std::string("{}\0 }}", 6), ignore),
              HasSubstr("must be JSON, but is not: byte 2 is zero"));
}

/// With work in the square of the length this would run into the time limit of a test.
TEST(JsonParse, TakesTimeInProportionToLength) {
  std::string text = "[{}";
  for (int i = 0; i < 900'000; ++i) text += ",{}";
  EXPECT_NO_THROW(read(text + "]"));
}

TEST(JsonParse, ThrowsTheChosenError) {
  EXPECT_THROW(read("{", {.error = JsonError::ModelError}), ModelError);
  EXPECT_THROW(read("{}", {.error = JsonError::ModelError}).as_bool(), ModelError);
}

TEST(JsonParse, RefusesEveryStart) {
  expect_starts_refused(kPlan, [](const std::string& text) { read(text); });
}

TEST(JsonParse, SurvivesDamage) {
  expect_survives_damage(kPlan, 5000,
                         [](const std::string& text) { read(text).field("rules").elements(9); });
}

}  // namespace
}  // namespace adadiff::detail
