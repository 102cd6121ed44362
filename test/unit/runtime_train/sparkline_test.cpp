// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/sparkline.h"

#include <gtest/gtest.h>

#include <limits>

namespace apr::train {
namespace {

TEST(Sparkline, ScalesFromLowestToHighest) {
  EXPECT_EQ(sparkline({8, 7, 6, 5, 4, 3, 2, 1}, 40), "█▇▆▅▄▃▂▁");
  EXPECT_EQ(sparkline({3, 3}, 40), "▁▁");
  EXPECT_EQ(sparkline({}, 40), "");
}

TEST(Sparkline, JoinsManyValues) {
  EXPECT_EQ(sparkline({0, 2, 4, 6, 7, 7}, 3), "▁▆█");
  EXPECT_EQ(sparkline(std::vector<double>(1000, 1.0), 5), "▁▁▁▁▁");
}

TEST(Sparkline, LeavesBlanks) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(sparkline({1, infinity, 0, std::numeric_limits<double>::quiet_NaN()}, 40), "█ ▁ ");
  const double most = std::numeric_limits<double>::max();
  EXPECT_EQ(sparkline({-most, most}, 40), "▁█");
}

} // namespace
} // namespace apr::train
