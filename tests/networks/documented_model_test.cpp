// The complete example of docs/model_format.md is one that the reader takes, and says there what it
// means.
#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <string>

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

}  // namespace
}  // namespace adadiff::testing
