// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/bfloat.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace apr {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(Bfloat, EveryOneComesBack) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    auto expected = static_cast<uint16_t>(bits);
    if (isBfloatNaN(expected))
      expected = kBfloatNaN;
    EXPECT_EQ(roundToBfloat(static_cast<double>(bfloatValue(static_cast<uint16_t>(bits)))),
              expected);
  }
}

// Halfway between neighbours the even one is nearest; a hair to either side, that side is.
TEST(Bfloat, MidpointsGoToEven) {
  for (uint32_t bits = 0; bits < 0x7f7f; ++bits) {
    const auto low = static_cast<uint16_t>(bits), high = static_cast<uint16_t>(bits + 1);
    const double middle =
        (static_cast<double>(bfloatValue(low)) + static_cast<double>(bfloatValue(high))) / 2;
    EXPECT_EQ(roundToBfloat(middle), bits % 2 == 0 ? low : high);
    EXPECT_EQ(roundToBfloat(std::nextafter(middle, 0.0)), low);
    EXPECT_EQ(roundToBfloat(std::nextafter(middle, kInfinity)), high);
    EXPECT_EQ(roundToBfloat(-middle), (bits % 2 == 0 ? low : high) | 0x8000);
  }
}

TEST(Bfloat, TooMuchIsInfinite) {
  const double greatest = static_cast<double>(bfloatValue(0x7f7f));
  const double next = 0x1p128, middle = (greatest + next) / 2;
  EXPECT_EQ(roundToBfloat(std::nextafter(middle, 0.0)), 0x7f7f);
  EXPECT_EQ(roundToBfloat(middle), 0x7f80);
  EXPECT_EQ(roundToBfloat(-1e300), 0xff80);
  EXPECT_EQ(roundToBfloat(kInfinity), 0x7f80);
}

// Integers round as the float of their value would, had it room for them.
TEST(Bfloat, IntegersRoundOnce) {
  for (int64_t value : {int64_t(0), int64_t(255), int64_t(257), int64_t(258), int64_t(-259)})
    EXPECT_EQ(roundToBfloat(value), roundToBfloat(static_cast<double>(value)));
  const int64_t power = int64_t(1) << 55, half = int64_t(1) << 47;
  const uint16_t bits = roundToBfloat(power);
  EXPECT_EQ(bfloatValue(bits), 0x1p55F);
  EXPECT_EQ(roundToBfloat(power + half), bits);
  EXPECT_EQ(roundToBfloat(power + half + 1), bits + 1);
  EXPECT_EQ(roundToBfloat(-power - half - 1), (bits + 1) | 0x8000);
  EXPECT_EQ(roundToBfloat(std::numeric_limits<int64_t>::min()), 0xdf00);
  EXPECT_EQ(roundToBfloat(std::numeric_limits<int64_t>::max()), 0x5f00);
}

} // namespace
} // namespace apr
