// The vectors are Random123's published known answers for philox4x32 with 10 rounds (its file
// kat_vectors).
#include "kernels/philox.h"

#include <gtest/gtest.h>

#include "kernels/status.h"

namespace adadiff::kernels {
namespace {

void expect_words(const PhiloxBlock& block, std::uint32_t a, std::uint32_t b, std::uint32_t c,
                  std::uint32_t d) {
  EXPECT_EQ(block.word[0], a);
  EXPECT_EQ(block.word[1], b);
  EXPECT_EQ(block.word[2], c);
  EXPECT_EQ(block.word[3], d);
}

TEST(Philox, AnswersForZeros) {
  expect_words(philox({}, {}), 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
}

TEST(Philox, AnswersForOnes) {
  const PhiloxBlock counter{{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}};
  expect_words(philox(counter, {{0xffffffff, 0xffffffff}}), 0x408f276d, 0x41c83b0e, 0xa20bc7c6,
               0x6d5451fd);
}

TEST(Philox, AnswersForDigitsOfPi) {
  const PhiloxBlock counter{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}};
  expect_words(philox(counter, {{0xa4093822, 0x299f31d0}}), 0xd16cfe09, 0x94fdcceb, 0x5001e420,
               0x24126ea1);
}

TEST(Philox, IsAConstantExpression) {
  static_assert(philox({}, {}).word[0] == 0x6627e8d5);
  static_assert(philox_key(0x0000000200000001ull).word[1] == 2);
}

TEST(KernelStatus, HasANameForEachValue) {
  EXPECT_STREQ(to_string(Status::Ok), "ok");
  EXPECT_STREQ(to_string(Status::InvalidArgument), "invalid argument");
  EXPECT_STREQ(to_string(Status::Unsupported), "not supported by this build or device");
  EXPECT_STREQ(to_string(Status::DeviceFailure), "device failure");
}

}  // namespace
}  // namespace adadiff::kernels
