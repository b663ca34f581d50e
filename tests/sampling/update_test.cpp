// The loops between two evaluations.
#include "sampling/update.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace adadiff::detail {
namespace {

TEST(PredictClean, CombinesStateAndOutput) {
  const float state[] = {1, 2}, output[] = {10, 20};
  float clean[2];
  EXPECT_TRUE(
      predict_clean({.from_state = 2, .from_output = -0.5}, {state, output, nullptr}, {clean}, 2));
  EXPECT_FLOAT_EQ(clean[0], -3);
  EXPECT_FLOAT_EQ(clean[1], -6);
}

TEST(PredictClean, GuidesSoManyValuesAwayFromTheUnconditional) {
  const float state[] = {0, 0}, conditional[] = {3, 3}, unconditional[] = {1, 1};
  float clean[2];
  EXPECT_TRUE(predict_clean({.from_state = 0, .from_output = 1, .guidance = 4, .guided = 1},
                            {state, conditional, unconditional}, {clean}, 2));
  EXPECT_FLOAT_EQ(clean[0], 9);
  EXPECT_FLOAT_EQ(clean[1], 3) << "the condition alone";
}

TEST(PredictClean, ClampsToTheRange) {
  const float state[] = {0, 0, 0}, output[] = {-3, 0.5f, 3};
  float clean[3];
  EXPECT_TRUE(predict_clean({.from_output = 1, .low = -1, .high = 1}, {state, output, nullptr},
                            {clean}, 3));
  EXPECT_EQ(clean[0], -1);
  EXPECT_EQ(clean[1], 0.5f);
  EXPECT_EQ(clean[2], 1);
}

TEST(PredictClean, TellsOfNaNAndInfinity) {
  const std::vector<float> state(40, 0.0f);
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    std::vector<float> output(40, 1.0f), clean(40);
    output[37] = bad;
    EXPECT_FALSE(predict_clean({.from_output = 1, .low = -1, .high = 1},
                               {state.data(), output.data(), nullptr}, {clean.data()}, 40));
  }
}

TEST(Combine, AddsTermsOverPiecesOfAnyLength) {
  for (const std::int64_t count : {1, 1023, 1024, 1025, 5000}) {
    std::vector<float> a(static_cast<std::size_t>(count)), b(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i), b[i] = 1;
    const Term terms[] = {{0.5, a.data()}, {-2, b.data()}};
    combine(terms, a.data(), count);
    for (std::size_t i = 0; i < a.size(); ++i)
      ASSERT_FLOAT_EQ(a[i], 0.5f * static_cast<float>(i) - 2);
  }
}

TEST(Combine, DoesNotReadTermsWithoutWeight) {
  const float bad[] = {std::nanf("")}, good[] = {2};
  const Term terms[] = {{0, bad}, {1, good}, {0, nullptr}};
  float out[1];
  combine(terms, out, 1);
  EXPECT_EQ(out[0], 2);
}

}  // namespace
}  // namespace adadiff::detail
