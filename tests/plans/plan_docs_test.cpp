// Every JSON example in docs/plans.md is a plan that this build reads, and means what the page
// says.
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include <adadiff/plan.h>

namespace adadiff {
namespace {

std::vector<std::string> examples() {
  std::ifstream file(ADADIFF_SOURCE_DIR "/docs/plans.md");
  std::vector<std::string> found;
  bool is_inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line == "```json") {
      found.emplace_back();
      is_inside = true;
    } else if (line.starts_with("```")) {
      is_inside = false;
    } else if (is_inside) {
      found.back() += line + "\n";
    }
  }
  return found;
}

TEST(PlanDocs, HaveExamplesThatAllParse) {
  const auto all = examples();
  EXPECT_GE(all.size(), 6u);
  for (const std::string& json : all) EXPECT_NO_THROW(parse_plan(json, "docs/plans.md")) << json;
}

TEST(PlanDocs, BeginWithFullDepthAndOneThreshold) {
  const auto all = examples();
  ASSERT_GE(all.size(), 2u);
  EXPECT_EQ(parse_plan(all[0]), full_depth());
  EXPECT_EQ(parse_plan(all[1]), exit_below(0.08F));
}

TEST(PlanDocs, ShowExamplesThatComeBackUnchanged) {
  for (const std::string& json : examples()) {
    const Plan plan = parse_plan(json);
    EXPECT_EQ(parse_plan(to_json(plan)), plan) << json;
  }
}

}  // namespace
}  // namespace adadiff
