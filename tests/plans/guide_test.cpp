// The guide column: as JSON, as a builder, what is refused, and which exits guide whom.
#include <gmock/gmock.h>

#include <adadiff/error.h>

#include "plans/small_model.h"

namespace adadiff {
namespace {

using detail::kNoGuide;
using test::small_model;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

constexpr int kNone = kNoGuide;

void expect_unreadable(const std::string& json, const std::string& message) {
  EXPECT_THAT([&] { parse_plan(json, "plan.json"); },
              ThrowsMessage<InvalidArgument>(HasSubstr(message)))
      << json;
}

void expect_refused(const Guide& guide, const std::string& message,
                    const detail::ModelFacts& model = small_model()) {
  Plan plan;
  plan.rules[0].guide = guide;
  EXPECT_THAT([&] { test::compile(plan, model); },
              ThrowsMessage<InvalidArgument>(HasSubstr(message)));
}

detail::CompiledGuide compiled(const Plan& plan, const detail::ModelFacts& model = small_model()) {
  return test::compile(plan, model).rules[0].guide;
}

TEST(GuideJson, IsReadInBothForms) {
  EXPECT_EQ(parse_plan(R"({"guide":{"exit":3,"weight":1.8}})"),
            guided(full_depth(), {.exit = 3, .weight = 1.8}));
  EXPECT_EQ(
      parse_plan(R"({"guide":{"before":2,"weight":0.5,"fallback":"exit-before"}})"),
      guided(full_depth(), {.before = 2, .weight = 0.5, .fallback = GuideFallback::ExitBefore}));
}

TEST(GuideJson, StandsInRulesToo) {
  const Plan plan = parse_plan(R"({"rules":[{"until":0.5,"guide":{"exit":1,"weight":2}},{}]})");
  EXPECT_EQ(plan.rules[0].guide, (Guide{.exit = 1, .weight = 2}));
  EXPECT_EQ(plan.rules[1].guide, Guide{});
}

TEST(GuideJson, IsWrittenInItsShortForm) {
  EXPECT_EQ(to_json(guided(full_depth(), {.exit = 0, .weight = 2})),
            R"({"format":1,"guide":{"exit":0,"weight":2}})");
  EXPECT_EQ(to_json(guided(full_depth(),
                           {.before = 1, .weight = 1.5, .fallback = GuideFallback::ExitBefore})),
            R"({"format":1,"guide":{"before":1,"weight":1.5,"fallback":"exit-before"}})");
}

TEST(GuideJson, RefusesWhatNoPlanCanMean) {
  expect_unreadable(R"({"guide":{"weight":2}})",
                    R"(guide must have "exit" or "before", but has neither)");
  expect_unreadable(R"({"guide":{"exit":1,"before":1,"weight":2}})",
                    R"(guide must have either "exit" or "before", but has both)");
  expect_unreadable(R"({"guide":{"exit":1}})", "weight");
  expect_unreadable(R"({"guide":{"exit":255,"weight":2}})",
                    "guide.exit must be an integer in [0, 254], but is 255");
  expect_unreadable(R"({"guide":{"exit":-1,"weight":2}})", "guide.exit must be");
  expect_unreadable(R"({"guide":{"before":0,"weight":2}})",
                    "guide.before must be an integer in [1, 254], but is 0");
  expect_unreadable(R"({"guide":{"exit":1,"weight":101}})", "guide.weight must be");
  expect_unreadable(R"({"guide":{"exit":1,"weight":2,"fallback":"last"}})",
                    "guide.fallback must be one of none, exit-before");
  expect_unreadable(R"({"guide":null})", "guide must have a value or be left out");
  expect_unreadable(R"({"guide":{"exit":1,"weight":2},"rules":[{}]})",
                    "rules must be absent where \"guide\" stands beside it");
}

TEST(Guided, SetsTheGuideOfEveryRule) {
  const int blocks_run[] = {1, 2};
  const Plan plan = guided(fixed_exits(blocks_run, 4), {.before = 1, .weight = 3});
  for (const Rule& rule : plan.rules) EXPECT_EQ(rule.guide, (Guide{.before = 1, .weight = 3}));
}

TEST(Guided, RefusesGuidesThatNoPlanCanHave) {
  const auto expect = [](const Guide& guide, const std::string& message) {
    EXPECT_THAT([&] { guided(full_depth(), guide); },
                ThrowsMessage<InvalidArgument>(HasSubstr(message)));
  };
  expect({.exit = 255, .weight = 2}, "guided.guide.exit: must be in [0, 254], but is 255");
  expect({.before = -1, .weight = 2}, "guided.guide.before: must be in [0, 254], but is -1");
  expect({.exit = 1, .weight = -0.5}, "guided.guide.weight: must be in [0, 100], but is -0.5");
  expect({.exit = 1, .before = 1, .weight = 2},
         "guided.guide: must have either exit or before, but has exit 1 and before 1");
  expect({.weight = 2},
         "guided.guide: must say which exit guides, but has neither exit nor before");
}

TEST(CompileGuide, RefusesExitsThatTheNetworkLacks) {
  detail::ModelFacts model = small_model();
  model.can_exit = {0, 1, 0, 1};
  expect_refused({.exit = 4, .weight = 2},
                 "rules[0].guide.exit: must be an exit of the network, but is 4");
  expect_refused({.exit = 2, .weight = 2},
                 "rules[0].guide.exit: must be an exit of the network, but is 2; ", model);
  expect_refused({.exit = 0, .weight = 2},
                 "rules[0].guide.exit: must be an exit of the network, but is 0", model);
  expect_refused(
      {.before = 3, .weight = 2},
      "rules[0].guide.before: must be at most 2, the network's number of exits, but is 3", model);
}

TEST(CompileGuide, IsEmptyWhereNobodyIsGuided) {
  EXPECT_TRUE(compiled(full_depth()).is_empty());
  EXPECT_TRUE(compiled(guided(exit_below(0.5F), {.exit = 1, .weight = 1})).is_empty())
      << "weight 1";
  EXPECT_TRUE(compiled(guided(fixed_exit(2, 4), {.exit = 3, .weight = 2})).is_empty())
      << "everybody leaves before the guide";
  EXPECT_EQ(compiled(full_depth()).slots(), 0);
}

TEST(CompileGuide, KeepsOneExitForFullDepth) {
  const detail::CompiledGuide guide = compiled(guided(full_depth(), {.exit = 2, .weight = 3}));
  EXPECT_EQ(guide.weight, 3);
  EXPECT_THAT(guide.guide_of, ElementsAre(kNone, kNone, kNone, kNone, 2));
  EXPECT_THAT(guide.slot, ElementsAre(kNone, kNone, 0, kNone));
}

TEST(CompileGuide, LeavesSamplesAtOrBeforeTheGuideAlone) {
  const detail::CompiledGuide guide = compiled(guided(exit_below(0.5F), {.exit = 2, .weight = 3}));
  EXPECT_THAT(guide.guide_of, ElementsAre(kNone, kNone, kNone, 2, 2));
  EXPECT_THAT(guide.slot, ElementsAre(kNone, kNone, 0, kNone));
}

TEST(CompileGuide, FallsBackToTheExitBefore) {
  const Guide wanted{.exit = 2, .weight = 3, .fallback = GuideFallback::ExitBefore};
  const detail::CompiledGuide guide = compiled(guided(exit_below(0.5F), wanted));
  EXPECT_THAT(guide.guide_of, ElementsAre(kNone, 0, 1, 2, 2));
  EXPECT_THAT(guide.slot, ElementsAre(0, 0, 0, kNone)) << "one kept at a time";
}

TEST(CompileGuide, CountsBackOverTheExitsThatTheNetworkHas) {
  detail::ModelFacts model = small_model();
  model.can_exit = {0, 1, 0, 1};
  const detail::CompiledGuide one = compiled(guided(exit_below(0.5F), {.before = 1, .weight = 2}),
                                             model);
  EXPECT_THAT(one.guide_of, ElementsAre(kNone, kNone, kNone, 1, 3));
  EXPECT_THAT(one.slot, ElementsAre(kNone, 0, kNone, 0));
  const detail::CompiledGuide two = compiled(guided(exit_below(0.5F), {.before = 2, .weight = 2}),
                                             model);
  EXPECT_THAT(two.guide_of, ElementsAre(kNone, kNone, kNone, kNone, 1));
}

TEST(CompileGuide, KeepsSeveralWhereTheyOverlap) {
  const detail::CompiledGuide guide = compiled(
      guided(exit_below(0.5F), {.before = 2, .weight = 2}));
  EXPECT_THAT(guide.guide_of, ElementsAre(kNone, kNone, 0, 1, 2));
  EXPECT_THAT(guide.slot, ElementsAre(0, 1, 0, kNone));
  EXPECT_EQ(guide.slots(), 2);
}

TEST(CompileGuide, CountsTheVotesThatLeavingNeeds) {
  const detail::CompiledGuide guide = compiled(
      guided(exit_when_agreed(0.5F, 3), {.before = 1, .weight = 2}));
  EXPECT_THAT(guide.guide_of, ElementsAre(kNone, kNone, kNone, 2, 3))
      << "nobody can leave before the third exit has voted";
}

TEST(CompileGuide, KeepsOnlyWhatAForcedExitNeeds) {
  const detail::CompiledGuide guide = compiled(
      guided(fixed_exit(3, 4), {.before = 2, .weight = 2}));
  EXPECT_THAT(guide.guide_of, ElementsAre(kNone, kNone, kNone, 1, kNone));
  EXPECT_THAT(guide.slot, ElementsAre(kNone, 0, kNone, kNone));
}

TEST(CompileGuide, CountsWithEveryExitWhereAPolicyDecides) {
  const detail::ModelFacts model = small_model();
  const auto table = find_solver("ddim")(
      {*model.process.schedule, time_grid("uniform", model.process, 10), 0});
  const Plan plan = guided(fixed_exit(3, 4), {.before = 1, .weight = 2});
  const auto executable = detail::compile_for_policy(plan, test::settings_of("ddim", 10), table,
                                                     model);
  EXPECT_THAT(executable.rules[0].guide.guide_of, ElementsAre(kNone, 0, 1, 2, 3));
  for (const auto& evaluation : executable.evaluations)
    EXPECT_EQ(evaluation.max_exit, 4) << "no exit is forced";
}

TEST(CompileGuide, HoldsPerRule) {
  Plan plan;
  plan.rules = {{.until = 0.5, .guide = {.before = 2, .weight = 2}}, {}};
  plan.rules[0].below = {0.5F};
  const auto executable = test::compile(plan);
  EXPECT_FALSE(executable.rules[0].guide.is_empty());
  EXPECT_THAT(executable.rules[1].guide.guide_of, IsEmpty());
  EXPECT_EQ(executable.guide_slots(), 2);
}

}  // namespace
}  // namespace adadiff
