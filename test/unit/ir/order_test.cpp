// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/order.h"

#include <gtest/gtest.h>

namespace apr {
namespace {

TEST(Order, TextReadsBack) {
  for (const char *text :
       {"seq", "tree(seq(512))", "tree(lanes(32,4096))", "tree(4,seq)", "tree(S,tree(seq(512)))",
        "tree(2,tree(3,tree(lanes(4,8))))", "tree(2*S + 1,tree(seq(1)))", "tree((S//2),seq)"}) {
    auto order = parseOrder(text);
    ASSERT_TRUE(order.has_value()) << text;
    EXPECT_EQ(order->problem(), std::nullopt) << text;
    EXPECT_EQ(parseOrder(order->str()), order) << order->str();
  }
}

TEST(Order, EqualityIsStructural) {
  EXPECT_EQ(parseOrder("tree(seq(512))"), defaultContractionOrder());
  EXPECT_EQ(parseOrder("tree(lanes(32,4096))"), defaultSumOrder(LastAxis::Reduced));
  EXPECT_EQ(parseOrder("tree(seq(512))"), defaultSumOrder(LastAxis::Kept));
  EXPECT_FALSE(*parseOrder("tree(seq(512))") == *parseOrder("tree(seq(256))"));
  EXPECT_FALSE(*parseOrder("tree(2,seq)") == *parseOrder("tree(3,seq)"));
}

TEST(Order, MalformedOnesSayWhy) {
  for (const Order &order :
       {Order::chunks(4), Order::lanes(4, 8), Order::tree(Order::seq()),
        Order::tree(Order::chunks(0)), Order::tree(Order::chunks(-1)),
        Order::tree(Order::lanes(3, 9)), Order::tree(Order::lanes(0, 0)),
        Order::tree(Order::lanes(4, 2)), Order::tree(Order::lanes(4, 6)),
        Order::tree(Order::lanes(8192, 8192)), Order::tree(Order::tree(Order::chunks(4))),
        Order::ranges(Dim(0), Order::seq()), Order::ranges(Dim::invalid(), Order::seq()),
        Order::ranges(Dim(2), Order::chunks(4))})
    EXPECT_TRUE(order.problem().has_value()) << order.str();
}

TEST(Order, HostileTextIsRefused) {
  std::string deep;
  for (int i = 0; i < 10000; ++i)
    deep += "tree(2,";
  for (const std::string &text :
       {std::string(""), std::string("tree"), std::string("tree()"), std::string("seq()"),
        std::string("seq(1"), std::string("lanes(4)"), std::string("tree(seq(512)) x"),
        std::string("tree(,seq)"), deep})
    EXPECT_FALSE(parseOrder(text).has_value()) << text.substr(0, 40);
}

} // namespace
} // namespace apr
