// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/dim.h"

#include <gtest/gtest.h>

namespace apr {
namespace {

Dim dim(std::string_view text) {
  auto parsed = parseDim(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed.value_or(Dim::invalid());
}

TEST(Dim, EqualPolynomialsHaveOneForm) {
  EXPECT_EQ(dim("B + B"), dim("2*B"));
  EXPECT_EQ(dim("(A + B)*(A - B)"), dim("A*A - B*B"));
  EXPECT_EQ(dim("A*B"), dim("B*A"));
  EXPECT_EQ(dim("B - B"), Dim(0));
  EXPECT_EQ(dim("(2*B)//2"), dim("B"));
  EXPECT_FALSE(dim("B") == dim("C"));
  EXPECT_FALSE(dim("2*(B//2)") == dim("B"));
}

TEST(Dim, TextReadsBack) {
  for (const char *text : {"0", "-3", "B", "2*B + 1", "B*H - 4", "(H - 1)//2 + 1", "A*A*B + 7",
                           "((A + 1)//2)//3", "3*(B//(C + 1))"}) {
    Dim value = dim(text);
    EXPECT_EQ(dim(value.str()), value) << text << " prints as " << value.str();
    EXPECT_EQ(dim(value.str()).str(), value.str());
  }
}

TEST(Dim, EvaluatesWithFloorDivision) {
  DimBindings b{{"B", 7}, {"C", -7}, {"Z", 0}};
  EXPECT_EQ(dim("2*B + 1").evaluate(b), 15);
  EXPECT_EQ(dim("B//2").evaluate(b), 3);
  EXPECT_EQ(dim("C//2").evaluate(b), -4);
  EXPECT_EQ(dim("B//Z").evaluate(b), std::nullopt);
  EXPECT_EQ(dim("B + unknown").evaluate(b), std::nullopt);
}

TEST(Dim, OverflowIsNoValue) {
  DimBindings huge{{"B", INT64_MAX}};
  EXPECT_EQ(dim("B + 1").evaluate(huge), std::nullopt);
  EXPECT_EQ(dim("B*B").evaluate(huge), std::nullopt);
  Dim big(INT64_MAX);
  EXPECT_FALSE((big + Dim(1)).isValid());
  EXPECT_FALSE((big * Dim(2)).isValid());
  EXPECT_FALSE((big + Dim(1) - Dim(1)).isValid()) << "invalid is sticky";
}

TEST(Dim, HostileTextIsRefused) {
  for (const char *text :
       {"", "+", "B +", "B**2", "(B", "B)", "1 2", "99999999999999999999", "B//0x", "2B", "B%2"})
    EXPECT_FALSE(parseDim(text).has_value()) << text;
  EXPECT_FALSE(parseDim(std::string(100000, '(')).has_value());
  // Either no dim or an invalid one, but neither a crash nor an endless product.
  std::string power = "B";
  for (int i = 0; i < 200; ++i)
    power += "*(B + C + " + std::to_string(i) + ")";
  auto product = parseDim(power);
  EXPECT_TRUE(!product || !product->isValid());
  auto byZero = parseDim("B//0");
  EXPECT_TRUE(!byZero || !byZero->isValid());
}

TEST(Dim, DividesExactly) {
  EXPECT_EQ(dim("6*B*C").dividedExactlyBy(dim("2*B")), dim("3*C"));
  EXPECT_EQ(dim("4*B + 2").dividedExactlyBy(Dim(2)), dim("2*B + 1"));
  EXPECT_EQ(dim("4*B + 1").dividedExactlyBy(Dim(2)), std::nullopt);
  EXPECT_EQ(dim("B").dividedExactlyBy(dim("C")), std::nullopt);
  EXPECT_EQ(dim("B").dividedExactlyBy(Dim(0)), std::nullopt);
}

TEST(Dim, ProvesSigns) {
  EXPECT_TRUE(dim("2*B + C").isProvablyNonNegative());
  EXPECT_TRUE(dim("B + 1").isProvablyPositive());
  EXPECT_FALSE(dim("B").isProvablyPositive());
  EXPECT_FALSE(dim("B - 1").isProvablyNonNegative());
}

TEST(Dim, SubstitutesAndCollects) {
  EXPECT_EQ(dim("B*C + B//2").substitute(DimBindings{{"B", 6}}), dim("6*C + 3"));
  std::map<std::string, Dim, std::less<>> replacement{{"B", dim("2*N")}};
  EXPECT_EQ(dim("B//2").substitute(replacement), dim("N"));
  std::set<std::string> variables;
  dim("B*C + (D//E)").collectVariables(variables);
  EXPECT_EQ(variables, (std::set<std::string>{"B", "C", "D", "E"}));
  EXPECT_EQ(dim("B").asVariable(), "B");
  EXPECT_EQ(dim("2*B").asVariable(), std::nullopt);
}

TEST(Dim, RefusesWhatGrowsWithoutBound) {
  EXPECT_FALSE(parseDim("(-9223372036854775807 - 1)*B // (0 - 1)"));
  std::string nested = "B", wide = "A0";
  for (int i = 0; i < 5000; ++i) {
    nested += "//3";
    wide += "*A" + std::to_string(i + 1);
  }
  EXPECT_FALSE(parseDim(nested));
  EXPECT_FALSE(parseDim(wide));
  Dim doubling = dim("B");
  for (int i = 0; i < 40; ++i)
    doubling = Dim::floorDivide(doubling, Dim(3)) + Dim::floorDivide(doubling, Dim(5));
  EXPECT_FALSE(doubling.isValid());
  std::string deep = "B";
  for (int i = 0; i < 29; ++i)
    deep += "//(C + 1)";
  EXPECT_EQ(dim(dim(deep).str()), dim(deep));
}

TEST(Dim, ElementCount) {
  EXPECT_EQ(elementCount({}), Dim(1));
  EXPECT_EQ(elementCount({dim("B"), Dim(3), dim("B")}), dim("3*B*B"));
  EXPECT_EQ(str(Shape{dim("B"), Dim(64)}), "[B,64]");
}

} // namespace
} // namespace apr
