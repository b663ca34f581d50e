// Plans as JSON: what each form means, that it comes back unchanged, and every refusal with its
// words.
#include <cmath>
#include <cstdio>
#include <fstream>

#include <gmock/gmock.h>

#include <adadiff/error.h>
#include <adadiff/plan.h>

#include "plans/random_plans.h"

namespace adadiff {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

void expect_refused(const std::string& json, const std::string& message) {
  EXPECT_THAT([&] { parse_plan(json, "plan.json"); },
              ThrowsMessage<InvalidArgument>(HasSubstr(message)))
      << json;
}

TEST(ParsePlan, ReadsOneThresholdInItsShortestForm) {
  EXPECT_EQ(parse_plan(R"({"below":0.08})"), exit_below(0.08F));
}

TEST(ParsePlan, ReadsAnEmptyObjectAsFullDepth) { EXPECT_EQ(parse_plan("{}"), full_depth()); }

TEST(ParsePlan, ReadsNeverAndAlwaysAsWords) {
  EXPECT_THAT(parse_plan(R"({"below":["always","never",0.5]})").rules[0].below,
              ElementsAre(kAlways, kNever, 0.5F));
  EXPECT_THAT(parse_plan(R"({"below":"always"})").rules[0].below, ElementsAre(kAlways));
}

TEST(ParsePlan, ReadsEveryField) {
  const Plan plan = parse_plan(
      R"({"format":1,"key":"time","scope":"batch","branches":"independent","pair":"mean","counting":"cumulative",
    "rules":[{"until":0.5,"below":["never",0.25],"hits":[1,2],"network":"small","precision":"int8","skip":[1,2]},{"hits":3}],
    "solver":{"name":"heun","grid":"logsnr","steps":20,"times":[0.9,0.5,0],"eta":0,"clamp":true},
    "model":"abc","certificate":{"b":1, "a":[ ]}})");
  Plan expected;
  expected.scope = Scope::Batch;
  expected.branches = Branches::Independent;
  expected.pair = PairUncertainty::Mean;
  expected.counting = Counting::Cumulative;
  expected.rules = {{.until = 0.5,
                     .below = {kNever, 0.25F},
                     .hits = {1, 2},
                     .network = "small",
                     .precision = Precision::Int8,
                     .skip = {1, 2}},
                    {.hits = {3}}};
  expected.solver = SolverSettings{
      .solver = "heun", .grid = "logsnr", .steps = 20, .times = {0.9, 0.5, 0}, .clamp = true};
  expected.model = "abc";
  expected.certificate = R"({"a":[],"b":1})";
  EXPECT_EQ(plan, expected);
}

TEST(ParsePlan, ReadsEta) { EXPECT_EQ(parse_plan(R"({"solver":{"eta":0.5}})").solver->eta, 0.5); }

TEST(ParsePlan, TakesTheDefaultsOfAnEmptySolver) {
  EXPECT_EQ(parse_plan(R"({"solver":{}})").solver, SolverSettings{});
}

TEST(ToJson, LeavesOutDefaults) {
  EXPECT_EQ(to_json(full_depth()), R"({"format":1})");
  EXPECT_EQ(to_json(exit_below(0.08F)), R"({"format":1,"below":0.08})");
  EXPECT_EQ(to_json(exit_when_agreed(0.1F, 2)), R"({"format":1,"below":0.1,"hits":2})");
}

TEST(ToJson, WritesOneRulePerLine) {
  const int blocks_run[] = {1, 2};
  EXPECT_EQ(to_json(fixed_exits(blocks_run, 2)),
            "{\"format\":1,\"key\":\"evaluation\",\"rules\":[\n  "
            "{\"below\":[\"never\",\"always\"]},\n  {}\n]}");
}

TEST(ToJson, EscapesText) {
  Plan plan;
  plan.model = R"(a"b\c)";
  EXPECT_EQ(parse_plan(to_json(plan)), plan);
}

TEST(ToJson, ComesBackUnchangedForArbitraryPlans) {
  test::RandomPlans plans(1);
  for (int i = 0; i < 3000; ++i) {
    const Plan plan = plans.next();
    const std::string json = to_json(plan);
    ASSERT_EQ(parse_plan(json), plan) << json;
  }
}

TEST(ToJson, IsTheSameTextAfterReading) {
  test::RandomPlans plans(2);
  for (int i = 0; i < 300; ++i) {
    const std::string json = to_json(plans.next());
    ASSERT_EQ(to_json(parse_plan(json)), json);
  }
}

TEST(ToJson, RefusesWhatParseWouldRefuse) {
  Plan plan;
  plan.rules[0].below = {0.5F, NAN};
  EXPECT_THROW(to_json(plan), InvalidArgument);
}

TEST(ToJson, BringsACertificateIntoItsStoredForm) {
  Plan plan;
  plan.certificate = "{ \"b\" : 1 , \"a\" : 2 }";
  EXPECT_EQ(parse_plan(to_json(plan)).certificate, R"({"a":2,"b":1})");
}

TEST(ToJson, RefusesACertificateThatIsNotOneJsonValue) {
  for (const char* text : {"{", "1,2", " ", "null", "1] , [2", "{\"a\":1,\"a\":2}"}) {
    Plan plan;
    plan.certificate = text;
    EXPECT_THAT([&] { to_json(plan); },
                ThrowsMessage<InvalidArgument>(HasSubstr("certificate: must ")))
        << text;
  }
}

TEST(ParsePlan, RefusesANewerFormat) {
  expect_refused(R"({"format":3})",
                 "plan.json: format 3 is newer than 1, the newest this build reads");
  expect_refused(R"({"format":3,"something":"new"})", "format 3 is newer than 1");
  expect_refused(R"({"format":0})", "format must be an integer in [1, 2147483647], but is 0");
  expect_refused(R"({"format":"1"})", "plan.json: format must be an integer");
}

TEST(ParsePlan, RefusesUnknownFields) {
  expect_refused(R"({"treshold":0.1})", R"(has "treshold")");
  expect_refused(R"({"until":0})", R"(has "until")");
  expect_refused(
      R"({"rules":[{"scope":"batch"}]})",
      R"(rules[0] must have no fields but until, below, hits, network, precision, skip, guide, but has "scope")");
  expect_refused(
      R"({"solver":{"solver":"ddim"}})",
      R"(solver must have no fields but name, grid, steps, times, last, eta, clamp, keep_noise, variance, blend, but has "solver")");
}

TEST(ParsePlan, RefusesExtrasOfEvaluationsThatDoNotRunYet) {
  expect_refused(R"({"solver":{"variance":"learned"}})",
                 R"(solver.variance must be one of network, fixed, but is "learned")");
  expect_refused(R"({"solver":{"blend":"known-pixels"}})",
                 R"(solver.blend must be "nothing" in this build, but is "known-pixels")");
}

TEST(ParsePlan, RefusesNull) {
  expect_refused(R"({"below":null})",
                 "plan.json: below must have a value or be left out, but is null");
  expect_refused(R"({"rules":[{"hits":null}]})", "rules[0].hits must have a value or be left out");
  expect_refused(R"({"solver":{"steps":null}})", "solver.steps must have a value or be left out");
  expect_refused(R"({"certificate":null})", "certificate must have a value");
}

TEST(ParsePlan, RefusesWrongTypes) {
  for (const char* json : {"[]",
                           "7",
                           "null",
                           "\"never\"",
                           R"({"rules":{}})",
                           R"({"rules":[7]})",
                           R"({"below":true})",
                           R"({"below":{}})",
                           R"({"hits":1.5})",
                           R"({"hits":"2"})",
                           R"({"network":1})",
                           R"({"precision":32})",
                           R"({"skip":"attention"})",
                           R"({"key":0})",
                           R"({"scope":true})",
                           R"({"solver":"ddim"})",
                           R"({"solver":{"steps":"20"}})",
                           R"({"solver":{"steps":20.0}})",
                           R"({"solver":{"times":0.5}})",
                           R"({"solver":{"clamp":1}})",
                           R"({"model":3})",
                           R"({"below":[[0.1]]})",
                           R"({"rules":[{"until":"0.5"},{}]})"}) {
    expect_refused(json, "must ");
  }
}

TEST(ParsePlan, RefusesThresholdsOutOfRange) {
  expect_refused(R"({"below":1.5})",
                 R"(plan.json: below must be a number in [0, 1], "never" or "always", but is 1.5)");
  expect_refused(R"({"below":2})",
                 R"(below must be a number in [0, 1], "never" or "always", but is 2)");
  expect_refused(R"({"below":-0.1})", "but is -0.1");
  expect_refused(R"({"below":["never","often"]})",
                 R"(below[1] must be a number in [0, 1], "never" or "always", but is "often")");
  expect_refused(R"({"below":[]})", "rules[0].below: must have 1 to 255 entries, but has 0");
}

TEST(ParsePlan, RefusesAThresholdAtExitZero) {
  expect_refused(
      R"({"below":[0.1,0.1]})",
      R"(rules[0].below[0]: must be "never" or "always", but is 0.1; exit 0 has no uncertainty)");
}

TEST(ParsePlan, RefusesHitsOutOfRange) {
  expect_refused(R"({"hits":0})", "hits must be an integer in [1, 255], but is 0");
  expect_refused(R"({"hits":[1,256]})", "hits[1] must be an integer in [1, 255], but is 256");
}

TEST(ParsePlan, RefusesListsThatFitNoNetwork) {
  std::string list = "1";
  for (int i = 0; i < 255; ++i) list += ",1";
  expect_refused("{\"below\":[" + list + "]}", "below must have at most 255 elements, but has 256");
  expect_refused("{\"hits\":[" + list + "]}", "hits must have at most 255 elements, but has 256");
  expect_refused("{\"skip\":[" + list + "]}", "skip must have at most 255 elements, but has 256");
}

TEST(ParsePlan, RefusesUnknownWords) {
  expect_refused(R"({"key":"step"})", R"(key must be one of time, evaluation, but is "step")");
  expect_refused(R"({"scope":"all"})", R"(scope must be one of sample, batch, but is "all")");
  expect_refused(R"({"branches":"both"})",
                 R"(branches must be one of together, independent, but is "both")");
  expect_refused(R"({"pair":"max"})",
                 R"(pair must be one of larger, mean, conditional, but is "max")");
  expect_refused(R"({"counting":"any"})",
                 R"(counting must be one of consecutive, cumulative, but is "any")");
  expect_refused(R"({"precision":"fp8"})",
                 R"(precision must be one of float32, bfloat16, float16, int8, but is "fp8")");
}

TEST(ParsePlan, RefusesUnknownSkipBits) {
  expect_refused(R"({"skip":[0,4]})",
                 "rules[0].skip[1]: must be made of the bits 1 (attention) and 2 (MLP), but is 4");
}

TEST(ParsePlan, RefusesRulesBesideTheShortForm) {
  expect_refused(
      R"({"rules":[{}],"below":0.1})",
      R"(rules must be absent where "below" stands beside it, but is there; write that into the rules)");
}

TEST(ParsePlan, RefusesRulesThatDoNotCoverTime) {
  expect_refused(R"({"rules":[]})", "rules: must have 1 to 20000 entries, but has 0");
  expect_refused(R"({"rules":[{"until":0.5}]})",
                 "plan.json: rules[0].until: must be 0 in the last rule, but is 0.5");
  expect_refused(R"({"rules":[{"until":0.5},{"until":0.5},{}]})",
                 "rules[1].until: must be smaller than the 0.5 of the rule before it, but is 0.5");
  expect_refused(R"({"rules":[{},{}]})",
                 "rules[1].until: must be smaller than the 0 of the rule before it");
  expect_refused(R"({"rules":[{"until":1},{}]})", "rules[0].until: must be in [0, 1), but is 1");
  expect_refused(R"({"rules":[{"until":-0.5},{}]})",
                 "rules[0].until must be a number in [0, 1], but is -0.5");
}

TEST(ParsePlan, RefusesTimesInRulesByEvaluation) {
  expect_refused(R"({"key":"evaluation","rules":[{"until":0.5},{}]})",
                 "rules[0].until: must be 0 or absent where rules go by evaluation, but is 0.5");
}

TEST(ParsePlan, RefusesSolversThatThereAreNot) {
  expect_refused(
      R"({"solver":{"name":"plms"}})",
      R"(solver.name: must be one of ddim, ddpm, euler-maruyama, dpmpp-2m, heun, heun-edm, but is "plms")");
  expect_refused(
      R"({"solver":{"grid":"exponential"}})",
      R"(solver.grid: must be one of uniform, quadratic, logsnr, karras, leading, leading-1, )");
  expect_refused(R"({"solver":{"steps":0}})",
                 "solver.steps must be an integer in [1, 10000], but is 0");
  expect_refused(R"({"solver":{"steps":10001}})",
                 "solver.steps must be an integer in [1, 10000], but is 10001");
  expect_refused(R"({"solver":{"eta":1.5}})", "solver.eta must be a number in [0, 1], but is 1.5");
  expect_refused(R"({"solver":{"name":"heun","eta":0.5}})",
                 "solver.eta: must be 0 with solver heun, but is 0.5; only ddim takes eta");
}

TEST(ParsePlan, RefusesTimesThatNoSolverWalks) {
  expect_refused(R"({"solver":{"times":[]}})",
                 "solver.times must have 2 to 10001 entries, but has none");
  expect_refused(R"({"solver":{"times":[0]}})",
                 "solver.times: must have 2 to 10001 entries, but has 1");
  expect_refused(R"({"solver":{"times":[0.9,-0.1]}})",
                 "solver.times[1] must be a number in [0, 1], but is -0.1");
  expect_refused(R"({"solver":{"times":[0.9,0.9,0]}})",
                 "solver.times[1]: must be smaller than the 0.9 before it, but is 0.9");
  expect_refused(R"({"solver":{"times":[1.5,0]}})",
                 "solver.times[0] must be a number in [0, 1], but is 1.5");
}

TEST(ParsePlan, RefusesTextThatIsTooLongOrNotPrintable) {
  expect_refused("{\"model\":\"" + std::string(201, 'a') + "\"}",
                 "model must have at most 200 bytes, but has 201");
  expect_refused("{\"network\":\"" + std::string(201, 'a') + "\"}",
                 "network must have at most 200 bytes, but has 201");
  expect_refused(R"({"model":"a\u0007"})", "model: must be printable ASCII");
  expect_refused(R"({"network":""})", "rules[0].network: must name a weight set, but is empty");
}

TEST(CheckPlan, RefusesInCodeWhatAFileCouldNotSay) {
  Plan plan;
  plan.rules[0].until = NAN;
  EXPECT_THAT(
      [&] { to_json(plan); },
      ThrowsMessage<InvalidArgument>(HasSubstr("rules[0].until: must be in [0, 1), but is nan")));
  plan.key = RuleKey::Evaluation;
  EXPECT_THAT([&] { to_json(plan); },
              ThrowsMessage<InvalidArgument>(
                  HasSubstr("must be 0 or absent where rules go by evaluation, but is nan")));
  plan = {};
  plan.rules[0].below = {0, INFINITY};
  EXPECT_THAT([&] { to_json(plan); },
              ThrowsMessage<InvalidArgument>(
                  HasSubstr(R"(below[1]: must be in [0, 1], "never" or "always", but is inf)")));
  plan = {};
  plan.rules[0].hits = {0};
  EXPECT_THAT(
      [&] { to_json(plan); },
      ThrowsMessage<InvalidArgument>(HasSubstr("rules[0].hits: must be in [1, 255], but is 0")));
  plan = {};
  plan.model = std::string(201, 'a');
  EXPECT_THAT(
      [&] { to_json(plan); },
      ThrowsMessage<InvalidArgument>(HasSubstr("model: must have at most 200 bytes, but has 201")));
}

TEST(ReadPlan, ReadsAFileAndNamesItInErrors) {
  const std::string path = testing::TempDir() + "adadiff_plan.json";
  std::ofstream(path) << R"({"below":0.25})";
  EXPECT_EQ(read_plan(path), exit_below(0.25F));
  std::ofstream(path) << R"({"below":7})";
  EXPECT_THAT([&] { read_plan(path); },
              ThrowsMessage<InvalidArgument>(HasSubstr(path + ": below must be")));
  std::remove(path.c_str());
}

TEST(ReadPlan, RefusesAMissingFile) { EXPECT_THROW(read_plan("/nowhere/plan.json"), FileError); }

TEST(ReadPlan, RefusesAFolder) { EXPECT_THROW(read_plan(testing::TempDir()), FileError); }

}  // namespace
}  // namespace adadiff
