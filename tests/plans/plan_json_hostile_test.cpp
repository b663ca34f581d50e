// Plans from files that nobody wrote in good faith: refused in words and in time, never a crash.
#include <random>

#include <gmock/gmock.h>

#include <adadiff/error.h>
#include <adadiff/plan.h>

#include "plans/random_plans.h"

namespace adadiff {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

void expect_refused(const std::string& json, const std::string& message) {
  EXPECT_THAT([&] { parse_plan(json, "plan.json"); },
              ThrowsMessage<InvalidArgument>(HasSubstr(message)));
}

std::string repeated(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST(HostilePlan, IsRefusedAtEveryTruncation) {
  const std::string json =
      R"({"format":1,"rules":[{"until":0.5,"below":["never",0.25],"hits":[1,2]},{"below":1e-3}],"certificate":{"a":"\u00e9"}})";
  for (std::size_t length = 0; length < json.size(); ++length)
    expect_refused(json.substr(0, length), "plan.json: must be JSON");
}

TEST(HostilePlan, IsRefusedWithTextBehindItsEnd) {
  expect_refused("{} {}", "plan.json: must be JSON");
}

TEST(HostilePlan, IsRefusedWhereNestedDeep) {
  expect_refused(R"({"certificate":)" + repeated("[", 100000) + repeated("]", 100000) + "}",
                 "nested");
  expect_refused(repeated("[", 1000000), "nested");
  expect_refused(repeated(R"({"rules":)", 100000), "nested");
}

TEST(HostilePlan, IsRefusedWithRepeatedKeys) {
  expect_refused(R"({"below":0.1,"below":0.2})", R"(must name each key once, but repeats "below")");
  expect_refused(R"({"rules":[{"hits":1,"hits":2}]})", R"(repeats "hits")");
}

TEST(HostilePlan, IsRefusedWithHugeNumbers) {
  for (const char* number : {"1e400", "-1e400", "1e300", "99999999999999999999999999",
                             "-1e-999999999", "1e999999999999999999999"}) {
    const std::string value(number);
    for (const char* field : {"below", "hits", "format"}) {
      try {
        const Plan plan = parse_plan("{\"" + std::string(field) + "\":" + value + "}");
        EXPECT_THAT(plan.rules[0].below,
                    testing::Each(testing::AllOf(testing::Ge(0), testing::Le(1))))
            << field << " " << value;
      } catch (const InvalidArgument&) {
      }
    }
  }
  expect_refused(R"({"below":1e400})", "plan.json: must be JSON");
  expect_refused(R"({"hits":99999999999999999999999999})", "hits must be an integer in [1, 255]");
  expect_refused(R"({"solver":{"steps":18446744073709551615}})",
                 "steps must be an integer in [1, 10000]");
}

TEST(HostilePlan, IsRefusedWithNumbersThatJsonLacks) {
  for (const char* json : {R"({"below":NaN})", R"({"below":Infinity})", R"({"below":0x1})",
                           R"({"below":.5})", R"({"below":+1})", R"({"below":01})"}) {
    expect_refused(json, "plan.json: must be JSON");
  }
}

TEST(HostilePlan, IsRefusedWithTooManyRules) {
  expect_refused(R"({"key":"evaluation","rules":[)" + repeated("{},", 20000) + "{}]}",
                 "rules must have at most 20000 elements, but has 20001");
}

TEST(HostilePlan, IsRefusedWithTooManyValues) {
  expect_refused(R"({"certificate":[)" + repeated("1,", 1500000) + "1]}",
                 "must hold at most 1000000 values");
}

TEST(HostilePlan, IsRefusedWhereTooLong) {
  expect_refused("{}" + std::string(17 << 20, ' '), "plan.json: must have at most 16777216 bytes");
}

TEST(HostilePlan, ShowsLittleOfWhatItRefuses) {
  try {
    parse_plan(R"({"key":")" + std::string(190, 'x') + R"("})");
    FAIL() << "accepted";
  } catch (const InvalidArgument& error) {
    EXPECT_LT(std::string(error.what()).size(), 200u);
  }
}

TEST(HostilePlan, IsRefusedWithBrokenUtf8) {
  expect_refused("{\"model\":\"\xff\xfe\"}", "plan.json: must be JSON");
}

TEST(HostilePlan, IsReadOrRefusedButNeverCrashesWhenBytesAreFlipped) {
  test::RandomPlans plans(3);
  std::mt19937 random(4);
  for (int i = 0; i < 3000; ++i) {
    std::string json = to_json(plans.next());
    for (int flips = 1 + static_cast<int>(random() % 3); flips > 0; --flips)
      json[random() % json.size()] = static_cast<char>(random());
    try {
      const Plan plan = parse_plan(json);
      ASSERT_EQ(parse_plan(to_json(plan)), plan) << json;
    } catch (const InvalidArgument&) {
    }
  }
}

}  // namespace
}  // namespace adadiff
