// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// First and second derivatives through scans against finite differences.
#include "gradient_check.h"
#include "ir/scan.h"
#include "ir/verifier.h"
#include "passes/dce.h"
#include "passes/differentiate.h"

#include <gtest/gtest.h>

namespace apr::test {
namespace {

using Values = const std::vector<ValueId> &;
using BuildStep = std::function<std::vector<ValueId>(Builder &, Values)>;

Type f64(Shape shape) { return {DType::F64, std::move(shape)}; }
const Type kI32{DType::I32, {}};
const Type kBool{DType::Bool, {}};

/// A scan whose region `step` builds from its arguments.
std::vector<ValueId> scan(Builder &b, const ScanOperands &operands, const Dim &length,
                          const BuildStep &step,
                          ScanDirection direction = ScanDirection::Forwards) {
  auto region = std::make_shared<Graph>();
  std::vector<ValueId> arguments;
  for (ValueId v : operands.carries)
    arguments.push_back(region->addArgument(b.type(v)));
  for (ValueId v : operands.inputs)
    arguments.push_back(region->addArgument(sliceType(b.type(v))));
  for (ValueId v : operands.captured)
    arguments.push_back(region->addArgument(b.type(v)));
  Builder inner(*region);
  region->results = step(inner, arguments);
  return createScan(b, operands, length, direction, region);
}

/// The sum of all elements of both, so that the derivative has two ways into the scan.
ValueId addSums(Builder &b, ValueId x, ValueId y) {
  return b.add(b.sum(x, allAxes(b.type(x))), b.sum(y, allAxes(b.type(y))));
}

/// h <- tanh(h w + x), yields h x.
std::vector<ValueId> vectorStep(Builder &b, Values v) {
  ValueId h = b.unary(OpKind::Tanh, b.add(b.mul(v[0], v[2]), v[1]));
  return {h, b.mul(h, v[1])};
}

ValueId vectorScan(Builder &b, Values v, const Dim &length, ScanDirection direction) {
  auto r = scan(b, {{v[0]}, {v[1]}, {v[2]}}, length, vectorStep, direction);
  return addSums(b, r[0], r[1]);
}

ValueId recurrentNetwork(Builder &b, Values v, const Dim &length) {
  auto r = scan(b, {{v[0]}, {v[1]}, {v[2], v[3]}}, length, [](Builder &s, Values a) {
    ValueId sum = s.add(s.matmul(a[0], a[2], false, false), s.matmul(a[1], a[3], false, true));
    ValueId h = s.unary(OpKind::Tanh, sum);
    return std::vector<ValueId>{h, h};
  });
  return addSums(b, r[0], b.mul(r[1], r[1]));
}

/// An integer counts the steps, a bool says whether the count is even: both only steer.
ValueId steered(Builder &b, Values v) {
  ValueId zero = b.splatInteger(kI32, 0), even = b.splatInteger(kBool, 1);
  auto r = scan(b, {{v[0], zero, even}, {}, {v[1]}}, 5, [](Builder &s, Values a) {
    ValueId count = s.broadcast(s.convert(a[1], DType::F64), {2}, {});
    ValueId product = s.mul(a[0], s.add(a[3], count));
    ValueId isEven = s.broadcast(a[2], {2}, {});
    ValueId h = s.select(isEven, s.unary(OpKind::Sin, product), s.mul(a[0], a[0]));
    ValueId next = s.add(a[1], s.splatInteger(kI32, 1));
    return std::vector<ValueId>{h, next, s.unary(OpKind::Not, a[2]), a[1]};
  });
  return b.mul(r[0], r[0]);
}

/// Two carries that change places, so that what enters one leaves by the other steps later.
ValueId exchanged(Builder &b, Values v) {
  auto r = scan(b, {{v[0], v[1]}, {}, {v[2]}}, 3, [](Builder &s, Values a) {
    return std::vector<ValueId>{a[1], s.mul(s.mul(a[0], a[0]), a[2])};
  });
  return b.mul(r[0], r[1]);
}

ValueId nested(Builder &b, Values v, const Dim &rows, const Dim &columns) {
  auto r = scan(b, {{v[0]}, {v[1]}, {v[2]}}, rows, [&](Builder &s, Values a) {
    auto inner = scan(
        s, {{a[0]}, {a[1]}, {a[2]}}, columns,
        [](Builder &t, Values c) {
          ValueId h = t.unary(OpKind::Sin, t.add(t.mul(c[0], c[2]), c[1]));
          return std::vector<ValueId>{h, t.mul(h, c[0])};
        },
        ScanDirection::Backwards);
    return std::vector<ValueId>{inner[0], inner[1]};
  });
  return addSums(b, r[0], r[1]);
}

/// Outputs alone, and a captured value that is an output itself.
ValueId mapped(Builder &b, Values v) {
  auto r = scan(b, {{}, {v[0]}, {v[1]}}, 3, [](Builder &s, Values a) {
    return std::vector<ValueId>{s.unary(OpKind::Exp, s.mul(a[0], a[1])), a[1], a[0]};
  });
  return b.mul(r[0], b.add(r[1], r[2]));
}

std::vector<GradientCase> scanCases() {
  Dim T = Dim::variable("T"), N = Dim::variable("N");
  auto vector = [](const Dim &length, ScanDirection direction) {
    return [=](Builder &b, Values v) { return vectorScan(b, v, length, direction); };
  };
  const std::vector<Type> vectors = {f64({2}), f64({3, 2}), f64({2})};
  const std::vector<Type> openVectors = {f64({2}), f64({T, 2}), f64({2})};
  return {
      {"Forwards", vectors, vector(3, ScanDirection::Forwards)},
      {"Backwards", vectors, vector(3, ScanDirection::Backwards)},
      {"OpenLength", openVectors, vector(T, ScanDirection::Forwards), -2, 2, {{"T", 4}}},
      {"OneStep", openVectors, vector(T, ScanDirection::Backwards), -2, 2, {{"T", 1}}},
      {"NoStep", openVectors, vector(T, ScanDirection::Forwards), -2, 2, {{"T", 0}}},
      {"Recurrent",
       {f64({2, 3}), f64({T, 2, 2}), f64({3, 3}), f64({3, 2})},
       [T](Builder &b, Values v) { return recurrentNetwork(b, v, T); },
       -1,
       1,
       {{"T", 3}}},
      {"Steered", {f64({2}), f64({2})}, steered, -1, 1},
      {"Exchanged", {f64({2}), f64({2}), f64({2})}, exchanged, -1, 1},
      {"Nested",
       {f64({}), f64({T, N}), f64({})},
       [=](Builder &b, Values v) { return nested(b, v, T, N); },
       -1,
       1,
       {{"T", 2}, {"N", 3}}},
      {"Mapped", {f64({3, 2}), f64({2})}, mapped, -1, 1},
  };
}

class ScanGradients : public testing::TestWithParam<GradientCase> {};

TEST_P(ScanGradients, MatchFiniteDifferences) { checkGradient(GetParam()); }
TEST_P(ScanGradients, MatchFiniteDifferencesTwice) { checkSecondGradient(GetParam()); }

INSTANTIATE_TEST_SUITE_P(All, ScanGradients, testing::ValuesIn(scanCases()),
                         [](const auto &info) { return info.param.name; });

Graph differentiatedGraph(Graph graph, Diagnostics &diagnostics) {
  Module module;
  Function function;
  function.name = "f";
  function.dims = {"T"};
  for (ValueId v : graph.arguments())
    function.arguments.push_back({ArgumentRole::Input, "x" + std::to_string(v), std::nullopt});
  for (size_t i = 0; i < graph.results.size(); ++i)
    function.results.push_back({ResultRole::Result, "r" + std::to_string(i), ResultKind::Tensor});
  function.graph = std::move(graph);
  module.functions.push_back(std::move(function));
  EXPECT_TRUE(verify(module, diagnostics));
  differentiate(module, {}, diagnostics);
  EXPECT_TRUE(diagnostics.hasErrors() || verify(module, diagnostics));
  return std::move(module.functions.front().graph);
}

// Newton's steps for x^3 = a, with the derivative of each step's function taken inside the scan.
TEST(ScanGradient, RegionsMayDifferentiate) {
  Graph graph;
  Builder b(graph);
  ValueId x = graph.addArgument(f64({})), a = graph.addArgument(f64({}));
  auto root = scan(b, {{x}, {}, {a}}, 8, [](Builder &s, Values v) {
    ValueId f = s.sub(s.mul(v[0], s.mul(v[0], v[0])), v[1]);
    ValueId slope = s.createMulti(OpKind::Gradient, {f, v[0]}).front();
    return std::vector<ValueId>{s.sub(v[0], s.div(f, slope))};
  });
  ValueId byA = b.createMulti(OpKind::Gradient, {root[0], a}).front();
  graph.results = {root[0], byA};
  Diagnostics diagnostics;
  Graph done = differentiatedGraph(std::move(graph), diagnostics);
  ASSERT_FALSE(diagnostics.hasErrors());
  Tensor start = Tensor::scalar(DType::F64, 1.5), value = Tensor::scalar(DType::F64, 8.0);
  auto results = interpret(done, std::vector<Tensor>{start, value}, {});
  ASSERT_TRUE(results) << results.error();
  EXPECT_NEAR((*results)[0].elements<double>()[0], 2, 1e-12);
  // The derivative of the cube root of a is 1/(3 root^2).
  EXPECT_NEAR((*results)[1].elements<double>()[0], 1.0 / 12, 1e-9);
}

// The steps' contributions add from the last step to the first: 1e16 comes before the ones, which
// are lost in it one by one. Added the other way round, the ones would make 4 first.
TEST(ScanGradient, SumsGoFromTheLastStepToTheFirst) {
  Graph graph;
  Builder b(graph);
  ValueId xs = graph.addArgument(f64({5})), w = graph.addArgument(f64({}));
  auto r = scan(b, {{}, {xs}, {w}}, 5,
                [](Builder &s, Values v) { return std::vector<ValueId>{s.mul(v[0], v[1])}; });
  ValueId loss = b.sum(r[0], {0});
  graph.results = b.createMulti(OpKind::Gradient, {loss, w});
  Diagnostics diagnostics;
  Graph done = differentiatedGraph(std::move(graph), diagnostics);
  ASSERT_FALSE(diagnostics.hasErrors());
  Tensor inputs = Tensor::zeros(DType::F64, {5});
  double steps[] = {1, 1, 1, 1, 1e16};
  std::copy(std::begin(steps), std::end(steps), inputs.elements<double>().begin());
  auto results = interpret(done, std::vector<Tensor>{inputs, Tensor::scalar(DType::F64, 1.0)}, {});
  ASSERT_TRUE(results) << results.error();
  EXPECT_EQ((*results)[0].elements<double>()[0], 1e16);
}

// What nothing reads is not kept: the body is linear, so no carry is kept for the derivative, and
// the only scan with outputs is the one whose outputs are asked for.
TEST(ScanGradient, KeepsOnlyWhatDerivativesRead) {
  Graph graph;
  Builder b(graph);
  ValueId h = graph.addArgument(f64({})), xs = graph.addArgument(f64({5}));
  auto r = scan(b, {{h}, {xs}, {}}, 5,
                [](Builder &s, Values v) { return std::vector<ValueId>{s.add(v[0], v[1])}; });
  graph.results = b.createMulti(OpKind::Gradient, {r[0], h, xs});
  Diagnostics diagnostics;
  Graph done = differentiatedGraph(std::move(graph), diagnostics);
  ASSERT_FALSE(diagnostics.hasErrors());
  size_t scans = 0;
  for (const Op &op : done.ops())
    if (op.kind == OpKind::Scan) {
      ++scans;
      EXPECT_EQ(op.operands.size(), 1u);
      EXPECT_EQ(op.results.size(), 2u);
    }
  EXPECT_EQ(scans, 1u);
}

// A step rounds down, with the derivative 1 that with_gradient gives it: 1 + 2 + … by every x.
TEST(ScanGradient, StepsMayHaveTheirOwnDerivatives) {
  Graph graph;
  Builder b(graph);
  ValueId h = graph.addArgument(f64({})), xs = graph.addArgument(f64({3}));
  auto r = scan(b, {{h}, {xs}, {}}, 3, [](Builder &s, Values v) {
    auto rule = std::make_shared<Graph>();
    ValueId g = rule->addArgument(f64({}));
    rule->addArgument(f64({}));
    rule->results = {g};
    ValueId sum = s.add(v[0], v[1]);
    ValueId down = s.unary(OpKind::Floor, sum);
    ValueId own = s.createMulti(OpKind::WithGradient, {down, sum},
                                {{AttrKey::Arguments, int64_t(1)}}, {}, rule)
                      .front();
    return std::vector<ValueId>{own, s.mul(own, own)};
  });
  ValueId loss = b.sum(r[1], {0});
  graph.results = b.createMulti(OpKind::Gradient, {loss, xs});
  Diagnostics diagnostics;
  Graph done = differentiatedGraph(std::move(graph), diagnostics);
  ASSERT_FALSE(diagnostics.hasErrors());
  Tensor inputs = Tensor::zeros(DType::F64, {3});
  double steps[] = {1.5, 1.5, 1.5}; // the states are 1, 2 and 3
  std::copy(std::begin(steps), std::end(steps), inputs.elements<double>().begin());
  auto results = interpret(done, std::vector<Tensor>{Tensor::scalar(DType::F64, 0.0), inputs}, {});
  ASSERT_TRUE(results) << results.error();
  auto gradient = (*results)[0].elements<double>();
  EXPECT_EQ(gradient[0], 12); // 2 (1 + 2 + 3)
  EXPECT_EQ(gradient[1], 10);
  EXPECT_EQ(gradient[2], 6);
}

TEST(ScanGradient, NamesOpsInRegionsThatHaveNoDerivative) {
  Graph graph;
  Builder b(graph);
  ValueId h = graph.addArgument(f64({}));
  auto r = scan(b, {{h}, {}, {}}, 5, [](Builder &s, Values v) {
    return std::vector<ValueId>{s.unary(OpKind::Floor, v[0])};
  });
  graph.results = b.createMulti(OpKind::Gradient, {r[0], h});
  Diagnostics diagnostics;
  differentiatedGraph(std::move(graph), diagnostics);
  ASSERT_EQ(diagnostics.errorCount(), 1u);
  EXPECT_EQ(diagnostics.all().front().kind, DiagnosticKind::NoGradient);
  EXPECT_NE(diagnostics.all().front().message.find("floor"), std::string::npos);
}

} // namespace
} // namespace apr::test
