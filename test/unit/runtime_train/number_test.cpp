// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/number.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

namespace apr::train {
namespace {

template <class T> NumberFault parse(std::string_view text, T &value) {
  return parseNumber(text, value);
}

TEST(Number, ReadsDecimalsExactly) {
  double d = 0;
  EXPECT_EQ(parse("0.1", d), NumberFault::None);
  EXPECT_EQ(d, 0.1);
  EXPECT_EQ(parse(" +17.25e-1\t", d), NumberFault::None);
  EXPECT_EQ(d, 1.725);
  EXPECT_EQ(parse("-0", d), NumberFault::None);
  EXPECT_TRUE(std::signbit(d));
  EXPECT_EQ(parse(".5", d), NumberFault::None);
  EXPECT_EQ(d, 0.5);
}

// 1 + 2^-24 + 2^-60 rounds up to the next float, but to 1 when it goes through double first.
TEST(Number, RoundsOnceToTheFinalType) {
  float f = 0;
  EXPECT_EQ(parse("1.000000059604644775390625867361737988403547205962240695953369140625", f),
            NumberFault::None);
  EXPECT_EQ(f, std::nextafter(1.0f, 2.0f));
}

TEST(Number, RefusesWhatIsNoNumber) {
  double d = 7;
  for (const char *text : {"", " ", "nan", "NaN", "inf", "-inf", "+", "-", ".", "e5", "1e", "0x10",
                           "1,5", "1 2", "--1", "+-1", "1.2.3", "nan(1)"})
    EXPECT_EQ(parse(text, d), NumberFault::NotANumber) << text;
}

TEST(Number, TellsOverflowFromUnderflow) {
  double d = 1;
  EXPECT_EQ(parse("1e999", d), NumberFault::OutOfRange);
  EXPECT_EQ(parse("1e99999999999999999999", d), NumberFault::OutOfRange);
  EXPECT_EQ(parse("-1e-999", d), NumberFault::None);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(d), std::bit_cast<std::uint64_t>(-0.0));
  EXPECT_EQ(parse("1e-99999999999999999999", d), NumberFault::None);
  float f = 1;
  EXPECT_EQ(parse("1e39", f), NumberFault::OutOfRange);
  EXPECT_EQ(parse("1e-60", f), NumberFault::None);
  EXPECT_EQ(f, 0.0f);
  EXPECT_EQ(parse("1e-45", f), NumberFault::None);
  EXPECT_EQ(f, std::bit_cast<float>(1u));
}

TEST(Number, ReadsIntegersInRange) {
  std::int32_t i = 0;
  EXPECT_EQ(parse("-2147483648", i), NumberFault::None);
  EXPECT_EQ(i, INT32_MIN);
  EXPECT_EQ(parse("2147483648", i), NumberFault::OutOfRange);
  EXPECT_EQ(parse("3.0", i), NumberFault::None);
  EXPECT_EQ(i, 3);
  EXPECT_EQ(parse("3.5", i), NumberFault::NotWhole);
  std::int64_t l = 0;
  EXPECT_EQ(parse("9223372036854775807", l), NumberFault::None);
  EXPECT_EQ(l, INT64_MAX);
  EXPECT_EQ(parse("9223372036854775808", l), NumberFault::OutOfRange);
  EXPECT_EQ(parse("9223372036854775808.0", l), NumberFault::OutOfRange);
  std::uint8_t u = 0;
  EXPECT_EQ(parse("255", u), NumberFault::None);
  EXPECT_EQ(parse("256", u), NumberFault::OutOfRange);
  EXPECT_EQ(parse("-1", u), NumberFault::OutOfRange);
  bool b = false;
  EXPECT_EQ(parse("true", b), NumberFault::None);
  EXPECT_TRUE(b);
  EXPECT_EQ(parse("2", b), NumberFault::OutOfRange);
}

} // namespace
} // namespace apr::train
