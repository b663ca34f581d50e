#include "core/names.h"

#include <array>
#include <string_view>

#include <gmock/gmock.h>

namespace adadiff::detail {
namespace {

using testing::ElementsAre;
using testing::ThrowsMessage;

enum class Fruit { Apple, Pear, Plum };
constexpr Named<Fruit> kFruits[] = {{Fruit::Apple, "apple"}, {Fruit::Pear, "pear"}};

TEST(Names, FindTheirEntryAndNothingElse) {
  ASSERT_NE(find_named(kFruits, "pear"), nullptr);
  EXPECT_EQ(find_named(kFruits, "pear")->value, Fruit::Pear);
  EXPECT_EQ(find_named(kFruits, "pea"), nullptr);
  EXPECT_EQ(find_named(kFruits, ""), nullptr);
}

TEST(Names, StandForTheirValues) {
  EXPECT_EQ(name_of(kFruits, Fruit::Apple), "apple");
  EXPECT_EQ(name_of(kFruits, Fruit::Plum), "unknown") << "the table does not have it";
}

TEST(Names, AreListedInTheOrderOfTheTable) {
  EXPECT_THAT(names_in(kFruits), ElementsAre("apple", "pear"));
  EXPECT_EQ(joined(names_in(kFruits)), "apple, pear");
  EXPECT_EQ(joined(std::array<std::string_view, 0>{}), "");
}

TEST(Names, ThatNobodyKnowsAreRefusedWithTheKnownOnes) {
  EXPECT_EQ(require_named(kFruits, "apple", "fruit").value, Fruit::Apple);
  EXPECT_THAT([] { require_named(kFruits, "plum", "fruit"); },
              ThrowsMessage<InvalidArgument>("fruit: must be one of apple, pear, but is \"plum\""));
  EXPECT_THROW(require_named<ModelError>(kFruits, "plum", "fruit"), ModelError);
}

}  // namespace
}  // namespace adadiff::detail
