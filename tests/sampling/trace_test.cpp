// Traces: what they say, how they are written, and what is refused.
#include <adadiff/error.h>
#include <adadiff/trace.h>

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adadiff {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

Trace small_trace() {
  Trace trace;
  trace.blocks = 4;
  trace.samples = 2;
  trace.branches = 2;
  trace.compute = {100.5, 10, 2, 400};
  trace.evaluations.push_back({0, 0, 0, 1.0, {1, 2, 3, 4}, {.1f, .2f, .3f, kNaN}, 1.25});
  trace.evaluations.push_back({1, 1, 0, 0.5, {2, 2, -1, -1}, {.1f, .25f, kNaN, kNaN}, 0.5});
  return trace;
}

std::string refusal(const std::string& json) {
  try {
    parse_trace(json, "t.json");
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "accepted";
}

std::string replaced(const std::string& what, const std::string& by) {
  std::string json = to_json(small_trace());
  const std::size_t at = json.find(what);
  EXPECT_NE(at, std::string::npos) << what << " in " << json;
  return json.replace(at, what.size(), by);
}

TEST(Trace, MeanExitDepthLeavesOutWhatDidNotRun) {
  EXPECT_DOUBLE_EQ(small_trace().mean_exit_depth(), 14.0 / 6);
  EXPECT_TRUE(std::isnan(Trace().mean_exit_depth()));
}

TEST(Trace, FullEvaluationsCountWhatRan) {
  Trace trace;
  trace.blocks = 4;
  trace.samples = 2;
  trace.compute = {100, 0, 0, 200};
  trace.evaluations.resize(50);
  for (EvaluationTrace& evaluation : trace.evaluations) evaluation.exit = {-1, -1};
  trace.evaluations[0].exit = {2, 2};
  EXPECT_DOUBLE_EQ(trace.full_evaluations(), 0.5) << "cancelled after 1 of 50, at half the depth";
  EXPECT_EQ(Trace().full_evaluations(), 0);
}

TEST(Trace, ExitsAreTheConditionalBranchs) {
  EXPECT_EQ(small_trace().exits(), (std::vector<std::vector<int>>{{1, 3}, {2, -1}}));
}

TEST(Trace, SkippedComputeCountsScoresAndHeads) {
  EXPECT_DOUBLE_EQ(small_trace().compute.skipped(), 1 - 112.5 / 400);
  EXPECT_EQ(ComputeCount().skipped(), 0);
}

TEST(Status, HasAName) {
  EXPECT_STREQ(to_string(Status::Working), "working");
  EXPECT_STREQ(to_string(Status::Completed), "completed");
  EXPECT_STREQ(to_string(Status::Cancelled), "cancelled");
  EXPECT_STREQ(to_string(Status::Failed), "failed");
}

TEST(TraceJson, ReadsBackWhatItWrote) {
  const Trace written = small_trace(), read = parse_trace(to_json(written));
  EXPECT_EQ(to_json(read), to_json(written));
  EXPECT_EQ(read.evaluations[1].exit, written.evaluations[1].exit);
  EXPECT_EQ(read.evaluations[0].uncertainty[2], .3f);
  EXPECT_TRUE(std::isnan(read.evaluations[0].uncertainty[3]));
  EXPECT_EQ(read.compute.blocks, 100.5);
}

TEST(TraceJson, WritesWhatWasNotAskedForAsNull) {
  EXPECT_THAT(to_json(small_trace()), testing::HasSubstr("[0.1,0.2,0.3,null]"));
}

TEST(TraceJson, ReadsBackWhoGuided) {
  Trace trace = small_trace();
  trace.evaluations[1].guide = {1, -1, -1, -1};
  trace.evaluations[1].guide_weight = 1.8;
  const std::string json = to_json(trace);
  EXPECT_THAT(json, testing::HasSubstr(R"("guide_weight":1.8,"guide":[1,-1,-1,-1])"));
  const Trace read = parse_trace(json);
  EXPECT_TRUE(read.evaluations[0].guide.empty());
  EXPECT_EQ(read.evaluations[1].guide, trace.evaluations[1].guide);
  EXPECT_EQ(read.evaluations[1].guide_weight, 1.8);
}

TEST(TraceJson, RefusesGuidesThatTheNetworkDoesNotHave) {
  EXPECT_THAT(refusal(replaced(R"("exit":[1,2,3,4])",
                               R"("guide_weight":2,"guide":[0,4,0,0],"exit":[1,2,3,4])")),
              testing::HasSubstr("guide must hold integers in [-1, 3], but entry 1 is none"));
  EXPECT_THAT(refusal(replaced(R"("exit":[1,2,3,4])", R"("guide":[0,0,0,0],"exit":[1,2,3,4])")),
              testing::HasSubstr("guide_weight"));
}

TEST(TraceJson, RefusesForeignAndNewerDocuments) {
  EXPECT_THAT(refusal(""), testing::HasSubstr("t.json"));
  EXPECT_THAT(refusal("{}"), testing::HasSubstr("kind"));
  EXPECT_THAT(refusal(replaced("adadiff-trace", "plan")),
              testing::HasSubstr("kind must be \"adadiff-trace\""));
  EXPECT_THAT(refusal(replaced("\"format\":1", "\"format\":2")),
              testing::HasSubstr("format 2 is newer than 1, the newest this build reads"));
}

TEST(TraceJson, RefusesListsOfTheWrongLength) {
  EXPECT_THAT(refusal(replaced("[1,2,3,4]", "[1,2,3]")),
              testing::HasSubstr("evaluations[0].exit must be a list of samples x branches = 4"));
  EXPECT_THAT(refusal(replaced("\"samples\":2", "\"samples\":1000000")),
              testing::HasSubstr("= 2000000 entries"));
}

TEST(TraceJson, RefusesExitsTheNetworkDoesNotHave) {
  EXPECT_THAT(refusal(replaced("[1,2,3,4]", "[1,2,3,5]")),
              testing::HasSubstr("hold integers in [-1, 4], but entry 3 is none"));
  EXPECT_THAT(refusal(replaced("[1,2,3,4]", "[1,2,3,1.5]")), testing::HasSubstr("entry 3 is none"));
}

TEST(TraceJson, RefusesUncertaintiesThatAreNoNumbers) {
  EXPECT_THAT(refusal(replaced("0.3,null", "0.3,true")),
              testing::HasSubstr("hold numbers and nulls, but entry 3 is neither"));
}

TEST(TraceJson, RefusesUnknownKeys) {
  EXPECT_THAT(refusal(replaced("\"stage\"", "\"stages\"")), testing::HasSubstr("stage"));
  EXPECT_THAT(refusal(replaced("\"heads\"", "\"head\"")), testing::HasSubstr("head"));
}

}  // namespace
}  // namespace adadiff
