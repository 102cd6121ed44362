// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/rational.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

namespace apr::frontend {
namespace {

Rational number(const char *text) { return *Rational::parse(text); }

TEST(RationalTest, ReadsDecimalsExactly) {
  EXPECT_EQ(number("0.1").str(), "0.1");
  EXPECT_EQ(number("1e3").str(), "1000");
  EXPECT_EQ(Rational::compare(number("0.5"), *Rational::divide(1, 2)), 0);
  EXPECT_EQ(number("12.50e-1").str(), "1.25");
  EXPECT_EQ(Rational::divide(1, 3)->str(), "1/3");
}

TEST(RationalTest, RoundsOnceLikeTheCLibrary) {
  for (const char *text :
       {"0.1", "1e-8", "3.14159265358979323846264338327950288", "1e300", "4.9e-324",
        "2.2250738585072011e-308", "1e-323", "0.3", "16777217", "9007199254740993",
        "1.7976931348623157e308", "5e-46", "1.17549435e-38", "1e-45"}) {
    EXPECT_EQ(number(text).toDouble(), std::strtod(text, nullptr)) << text;
    EXPECT_EQ(number(text).toFloat(), std::strtof(text, nullptr)) << text;
  }
}

TEST(RationalTest, DividesLikeIeee) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 2000; ++i) {
    auto a = static_cast<int64_t>(random() >> 12);
    auto b = static_cast<int64_t>(random() >> (12 + random() % 40)) + 1;
    double expected = static_cast<double>(a) / static_cast<double>(b);
    EXPECT_EQ(Rational::divide(a, b)->toDouble(), expected) << a << "/" << b;
  }
}

TEST(RationalTest, ComputesExactly) {
  Rational sum = 0;
  for (int i = 0; i < 10; ++i)
    sum = *Rational::add(sum, number("0.1"));
  EXPECT_EQ(Rational::compare(sum, 1), 0);
  EXPECT_EQ(Rational::power(number("0.5"), -3)->asInt64(), 8);
  EXPECT_EQ(Rational::floorDivide(-7, 2)->asInt64(), -4);
  EXPECT_EQ(Rational::floorDivide(7, -2)->asInt64(), -4);
  EXPECT_EQ(Rational::subtract(number("2.5"), 3)->str(), "-0.5");
  EXPECT_EQ(Rational(INT64_MIN).asInt64(), INT64_MIN);
  EXPECT_FALSE(Rational::subtract(INT64_MIN, 1)->asInt64());
}

TEST(RationalTest, RefusesWhatIsTooLarge) {
  EXPECT_FALSE(Rational::parse("1e401"));
  EXPECT_FALSE(Rational::power(10, 1000));
  EXPECT_FALSE(Rational::power(2, INT64_MIN));
  EXPECT_FALSE(Rational::divide(1, 0));
}

} // namespace
} // namespace apr::frontend
