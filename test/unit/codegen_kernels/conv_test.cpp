// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/strided_view.h"
#include "harness.h"
#include "ir/convolution.h"
#include "passes/dce.h"
#include "passes/fuse_elementwise.h"
#include "passes/lower_convolutions.h"
#include "passes/simplify_exact.h"

#include <gtest/gtest.h>

namespace apr::test {
namespace {

using codegen::StridedView;
using codegen::traceStridedView;

std::string text(const StridedView &view) {
  std::string result = view.offset.str() + ":";
  for (const StridedView::Axis &axis : view.axes) {
    result += " [";
    for (const StridedView::Factor &factor : axis)
      result += " " + factor.size.str() + "*" + factor.stride.str();
    result += " ]";
  }
  return result;
}

const Dim B = Dim::variable("B");

// The rows and terms of a convolution: what is contiguous becomes one factor, here a kernel's row
// with its channels.
TEST(StridedViews, WindowsAsRows) {
  Graph graph;
  ValueId x = graph.addArgument({DType::F32, {B, 10, 12, 3}});
  Builder b(graph);
  ValueId v = buildWindow(b, x, {1, 2}, {3, 5}, {2, 1}, {1, 1});
  auto view = traceStridedView(graph, b.reshape(v, {B * Dim(32), 45}));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->base, x);
  EXPECT_EQ(text(*view), "0: [ B*360 4*72 8*3 ] [ 3*36 15*1 ]");
}

TEST(StridedViews, EveryMovement) {
  Graph graph;
  ValueId x = graph.addArgument({DType::F32, {4, B, 6}});
  Builder b(graph);
  ValueId v = b.slice(x, {1, 0, 2}, {4, B, 6}, {2, 1, 1}); // [2,B,4]
  v = b.transpose(v, {2, 0, 1});                           // [4,2,B]
  v = b.create(OpKind::Reverse, {v}, {{AttrKey::Axes, std::vector<int64_t>{0}}});
  v = b.reshape(v, {2, 2, 2, B});
  v = b.broadcast(v, {2, 2, 7, 2, B}, {0, 1, 3, 4});
  auto view = traceStridedView(graph, v);
  ASSERT_TRUE(view);
  EXPECT_EQ(text(*view), "6*B + 5: [ 2*-2 ] [ 2*-1 ] [ 7*0 ] [ 2*12*B ] [ B*6 ]");
}

// A reshape that cuts across strides has no strides of its own; what is computed has none either.
TEST(StridedViews, OthersAreRefused) {
  Graph graph;
  ValueId x = graph.addArgument({DType::F32, {4, 6}});
  Builder b(graph);
  ValueId part = b.slice(x, {0, 0}, {4, 3}, {1, 1});
  EXPECT_FALSE(traceStridedView(graph, b.reshape(part, {2, 6}))->axes.empty());
  EXPECT_FALSE(traceStridedView(graph, b.reshape(b.transpose(part, {1, 0}), {2, 6})));
  EXPECT_FALSE(traceStridedView(graph, b.neg(x)));
  EXPECT_FALSE(traceStridedView(graph, b.splat({DType::F32, {4}}, 1)));
}

Graph lowered(Graph graph) {
  Module module;
  module.functions.push_back({});
  module.functions[0].graph = std::move(graph);
  Diagnostics diagnostics;
  lowerConvolutions(module, {}, diagnostics);
  simplifyExact(module, {}, diagnostics);
  dce(module, {}, diagnostics);
  // The rows themselves: a result of another shape would be copied.
  Graph &rows = module.functions[0].graph;
  rows.results = {rows.definition(rows.results[0])->operands[0]};
  dce(module, {}, diagnostics);
  return rows;
}

Graph conv(int64_t size, int64_t kernel, int64_t inputs, int64_t outputs) {
  Graph graph;
  ValueId x = graph.addArgument({DType::F32, {B, size, size, 1, inputs}});
  ValueId w = graph.addArgument({DType::F32, {kernel, kernel, 1, inputs, outputs}});
  Builder b(graph);
  Attributes attributes = convAttributes({1, 1}, {1, 1});
  attributes.set(AttrKey::Order, defaultContractionOrder());
  graph.results = {b.create(OpKind::Conv, {x, w}, attributes)};
  return lowered(std::move(graph));
}

// Windows are read where they lie: a convolution is one kernel, which stores its result alone.
TEST(ConvCode, WindowsAreNotStored) {
  Module module;
  module.functions.push_back({});
  module.functions[0].graph = conv(10, 3, 8, 8);
  Diagnostics diagnostics;
  fuseElementwise(module, {}, diagnostics);
  const Graph &graph = module.functions[0].graph;
  ASSERT_EQ(graph.ops().size(), 1u);
  EXPECT_EQ(graph.ops()[0].attributes.string(AttrKey::Form), "matmul");
}

} // namespace
} // namespace apr::test
