// The complete example of docs/model_format.md is one that the reader takes, and says there what it
// means.
#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <string>

#include <adadiff/error.h>

#include "models/model_description.h"

namespace adadiff::testing {
namespace {

std::string documented_example() {
  std::ifstream file(std::string(ADADIFF_SOURCE_DIR) + "/docs/model_format.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  const std::string fence = "```json\n";
  const std::size_t begin = page.find(fence) + fence.size();
  return page.substr(begin, page.find("```", begin) - begin);
}

TEST(DocumentedModel, IsRead) {
  const detail::Model model = detail::parse_description(documented_example(),
                                                        "docs/model_format.md");
  const NetworkInfo& network = model.network->info();
  EXPECT_EQ(network.blocks, 9);
  EXPECT_EQ(network.null_label, 10);
  EXPECT_EQ(network.height, 28);
  EXPECT_THAT(network.can_exit, ::testing::ElementsAre(0, 1, 1, 1, 1, 1, 1, 1, 1));
  EXPECT_EQ(model.sampler.process.schedule->name(), "vp-linear");
  EXPECT_EQ(model.sampler.default_guidance, 1.5);
  EXPECT_EQ(model.sampler.default_plan, exit_below(0.08f));
  EXPECT_EQ(model.class_names.size(), 10u);
  EXPECT_EQ(model.license, "MIT");
}

TEST(DocumentedModel, IsReadBackAfterItIsWritten) {
  const detail::Model model = detail::parse_description(documented_example(),
                                                        "docs/model_format.md");
  const std::string written = detail::to_json(model);
  EXPECT_EQ(detail::to_json(detail::parse_description(written, "written")), written);
}

/// The example, whose images have 28 x 28 pixels, with another key.
std::string example_with(const std::string& key_and_value) {
  std::string example = documented_example();
  return example.insert(example.find('{') + 1, key_and_value + ", ");
}

constexpr const char* kGridShift =
    R"("grid_shift": {"base_shift": 0.5, "max_shift": 1.15, "base_tokens": 49, "max_tokens": 196,)"
    R"( "token_size": 2, "type": "exponential"})";

TEST(DocumentedModel, HasAGridThatIsShiftedByTheTokensOfItsImages) {
  const detail::Model model = detail::parse_description(example_with(kGridShift), "example");
  EXPECT_DOUBLE_EQ(model.sampler.process.grid_shift, std::exp(1.15)) << "14 x 14 tokens";
  const std::string written = detail::to_json(model);
  const detail::Model back = detail::parse_description(written, "written");
  EXPECT_EQ(back.sampler.process.grid_shift, model.sampler.process.grid_shift);
  EXPECT_EQ(detail::to_json(back), written);
  EXPECT_NE(detail::identity_json(model),
            detail::identity_json(detail::parse_description(documented_example(), "example")));
}

TEST(DocumentedModel, IsRefusedWithAGridShiftThatIsWrong) {
  const auto complaint = [](const std::string& from, const std::string& to) {
    std::string shift = kGridShift;
    shift.replace(shift.find(from), from.size(), to);
    try {
      detail::parse_description(example_with(shift), "m");
    } catch (const ModelError& error) {
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  using ::testing::HasSubstr;
  EXPECT_THAT(complaint("exponential", "cubic"),
              HasSubstr("m: grid_shift.type must be one of exponential, linear, but is \"cubic\""));
  EXPECT_THAT(complaint("196", "49"),
              HasSubstr("m: grid_shift.max_tokens must be an integer in [50, "));
  EXPECT_THAT(complaint(R"("token_size": 2,)", ""),
              HasSubstr("m: grid_shift must have the field \"token_size\", but lacks it"));
  EXPECT_THAT(complaint("1.15", "50"),
              HasSubstr("m: grid_shift: token_shift: must give a shift in [0.01, 100], but gives"));
}

}  // namespace
}  // namespace adadiff::testing
