// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/infer.h"
#include "ir/rewrite.h"
#include "ir/scan.h"

#include <gtest/gtest.h>

namespace apr {
namespace {

const Dim kT = Dim::variable("T");

Type f32(Shape shape) { return {DType::F32, std::move(shape)}; }

/// h, x -> h + x, h
std::shared_ptr<Graph> sumStep(const Type &carry, const Type &slice) {
  auto region = std::make_shared<Graph>();
  ValueId h = region->addArgument(carry), x = region->addArgument(slice);
  Builder b(*region);
  region->results = {carry == slice ? b.add(h, x) : h, h};
  return region;
}

Attributes scanAttributes(int64_t carries, int64_t inputs, const Dim &length) {
  return {{AttrKey::Carries, carries},
          {AttrKey::Inputs, inputs},
          {AttrKey::Length, std::vector<Dim>{length}}};
}

void expectError(std::vector<Type> operands, const Attributes &attributes, const Graph *region,
                 std::string_view part) {
  auto types = inferTypes(OpKind::Scan, operands, attributes, {}, region);
  ASSERT_FALSE(types);
  EXPECT_NE(types.error().find(part), std::string::npos) << types.error();
}

TEST(Scan, ResultsAreCarriesAndStacks) {
  auto region = sumStep(f32({3}), f32({3}));
  auto types = inferTypes(OpKind::Scan, std::vector<Type>{f32({3}), f32({kT, 3})},
                          scanAttributes(1, 1, kT), {}, region.get());
  ASSERT_TRUE(types) << types.error();
  EXPECT_EQ(*types, (std::vector<Type>{f32({3}), f32({kT, 3})}));
}

TEST(Scan, MistakesAreSaid) {
  auto region = sumStep(f32({3}), f32({3}));
  std::vector<Type> operands{f32({3}), f32({kT, 3})};
  expectError(operands, scanAttributes(1, 1, kT), nullptr, "needs a region");
  expectError(operands, scanAttributes(2, 1, kT), region.get(), "do not fit 2 operands");
  expectError(operands, scanAttributes(-1, 1, kT), region.get(), "do not fit");
  expectError(operands, scanAttributes(INT64_MAX, INT64_MAX, kT), region.get(), "do not fit");
  expectError(operands, scanAttributes(1, 1, Dim(-1)), region.get(), "length is -1");
  expectError(operands, scanAttributes(1, 1, kT + 1), region.get(), "with the first axis T + 1");
  expectError(operands, scanAttributes(1, 0, kT), region.get(), "argument is f32[3]");
  expectError({f32({3})}, scanAttributes(1, 0, kT), region.get(), "its region 2 arguments");
  expectError({f32({3}), f32({})}, scanAttributes(1, 1, kT), region.get(), "first axis");
  Attributes sideways = scanAttributes(1, 1, kT);
  sideways.set(AttrKey::Backwards, int64_t(2));
  expectError(operands, sideways, region.get(), "backwards is 2");
  Attributes twoLengths = scanAttributes(1, 1, kT);
  twoLengths.set(AttrKey::Length, std::vector<Dim>{kT, kT});
  expectError(operands, twoLengths, region.get(), "length has 2 entries");
}

TEST(Scan, StepsYieldTheCarriesThatTheyTake) {
  auto region = sumStep(f32({3}), f32({}));
  region->results[0] = region->arguments()[1];
  expectError({f32({3}), f32({kT})}, scanAttributes(1, 1, kT), region.get(), "carry 0 is f32[3]");
  region->results = {};
  expectError({f32({3}), f32({kT})}, scanAttributes(1, 1, kT), region.get(), "yields 0 values");
}

TEST(Scan, OtherOpsTakeNoRegion) {
  Graph region;
  auto types = inferTypes(OpKind::Neg, std::vector<Type>{f32({})}, {}, {}, &region);
  ASSERT_FALSE(types);
  EXPECT_EQ(types.error(), "takes no region");
}

TEST(Scan, RewritingReachesRegionsInRegions) {
  Graph graph;
  ValueId x = graph.addArgument(f32({}));
  Builder b(graph);
  auto inner = std::make_shared<Graph>();
  ValueId y = inner->addArgument(f32({}));
  Builder innerBuilder(*inner);
  inner->results = {innerBuilder.neg(y)};
  auto outer = std::make_shared<Graph>();
  ValueId z = outer->addArgument(f32({}));
  Builder outerBuilder(*outer);
  outer->results = createScan(outerBuilder, {{z}, {}, {}}, 2, ScanDirection::Forwards, inner);
  graph.results = createScan(b, {{x}, {}, {}}, kT, ScanDirection::Backwards, outer);

  Graph changed = rewriteEveryGraph(graph, [](const Op &op, GraphRewriter &rewriter) {
    if (op.kind != OpKind::Neg)
      return false;
    rewriter.map(op.result(), rewriter.builder().unary(OpKind::Abs, rewriter(op.operands[0])));
    return true;
  });
  const Op &scan = changed.ops()[0];
  EXPECT_TRUE(ScanParts(scan).isBackwards);
  EXPECT_EQ(scan.region->ops()[0].region->ops()[0].kind, OpKind::Abs);
  // The source is as it was.
  EXPECT_EQ(graph.ops()[0].region->ops()[0].region->ops()[0].kind, OpKind::Neg);
}

} // namespace
} // namespace apr
