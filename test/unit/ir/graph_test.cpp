// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/builder.h"

#include <gtest/gtest.h>

namespace apr {
namespace {

/// Builders hold on to types and ops while they add others: `b.broadcast(b.sum(x),
/// b.type(x).shape)`.
TEST(Graph, KeepsValuesAndOpsInPlaceWhileItGrows) {
  Graph graph;
  Builder b(graph);
  const ValueId x = graph.addArgument({DType::F32, {Dim(3)}});
  const ValueId y = b.neg(x);
  const Type &type = graph.type(x);
  const Op *op = graph.definition(y);
  for (int i = 0; i < 1000; ++i)
    b.neg(x);
  EXPECT_EQ(&graph.type(x), &type);
  EXPECT_EQ(graph.definition(y), op);
  EXPECT_EQ(type, (Type{DType::F32, {Dim(3)}}));
}

} // namespace
} // namespace apr
