// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The conventions of docs/ops.md for derivatives where functions have none.
#include "gradient_check.h"

#include "passes/differentiate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace apr::test {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

using Numbers = std::vector<double>;

Tensor vectorOf(const Numbers &numbers) {
  Tensor tensor = Tensor::zeros(DType::F64, {int64_t(numbers.size())});
  for (size_t i = 0; i < numbers.size(); ++i)
    tensor.elements<double>()[i] = numbers[i];
  return tensor;
}

/// The derivatives of the sum of `build` by its arguments, f64 vectors.
std::vector<Numbers> gradientsAt(const BuildValue &build, const std::vector<Numbers> &arguments) {
  Module module;
  module.functions.emplace_back();
  Graph &graph = module.functions.front().graph;
  std::vector<ValueId> operands;
  std::vector<Tensor> tensors;
  for (const Numbers &numbers : arguments) {
    operands.push_back(graph.addArgument({DType::F64, {Dim(int64_t(numbers.size()))}}));
    tensors.push_back(vectorOf(numbers));
  }
  Builder b(graph);
  ValueId value = build(b, operands);
  operands.insert(operands.begin(), b.sum(value, allAxes(b.type(value))));
  graph.results = b.createMulti(OpKind::Gradient, operands);
  Diagnostics diagnostics;
  differentiate(module, {}, diagnostics);
  EXPECT_FALSE(diagnostics.hasErrors());
  auto results = interpret(module.functions.front().graph, tensors, {});
  EXPECT_TRUE(results) << (results ? "" : results.error());
  std::vector<Numbers> gradients;
  if (results)
    for (const Tensor &result : *results)
      gradients.emplace_back(result.elements<double>().begin(), result.elements<double>().end());
  return gradients;
}

using Values = const std::vector<ValueId> &;

BuildValue binary(OpKind kind) {
  return [kind](Builder &b, Values v) { return b.binary(kind, v[0], v[1]); };
}

BuildValue reduce(OpKind kind) {
  return [kind](Builder &b, Values v) { return b.reduce(kind, v[0], {0}); };
}

TEST(Kinks, ReluIsFlatAtZero) {
  BuildValue relu = [](Builder &b, Values v) {
    return b.binary(OpKind::Max, v[0], b.splat(b.type(v[0]), 0));
  };
  EXPECT_EQ(gradientsAt(relu, {{-1, -0.0, 0, 1, kNan}})[0], Numbers({0, 0, 0, 1, 1}));
}

TEST(Kinks, TheSecondOperandOfMaxAndMinTakesTies) {
  for (OpKind kind : {OpKind::Max, OpKind::Min}) {
    auto gradients = gradientsAt(binary(kind), {{2, 0.0, -0.0}, {2, -0.0, 0.0}});
    EXPECT_EQ(gradients[0], Numbers({0, 0, 0}));
    EXPECT_EQ(gradients[1], Numbers({1, 1, 1}));
  }
}

TEST(Kinks, ClampIsFlatAtItsBounds) {
  BuildValue clamp = [](Builder &b, Values v) {
    ValueId low = b.splat(b.type(v[0]), -1), high = b.splat(b.type(v[0]), 1);
    return b.binary(OpKind::Min, b.binary(OpKind::Max, v[0], low), high);
  };
  EXPECT_EQ(gradientsAt(clamp, {{-2, -1, 0, 1, 2}})[0], Numbers({0, 0, 1, 0, 0}));
}

TEST(Kinks, ReduceMaxAndMinTakeTheFirst) {
  EXPECT_EQ(gradientsAt(reduce(OpKind::ReduceMax), {{1, 3, 3, 2}})[0], Numbers({0, 1, 0, 0}));
  EXPECT_EQ(gradientsAt(reduce(OpKind::ReduceMin), {{4, 3, 3, 5}})[0], Numbers({0, 1, 0, 0}));
  EXPECT_EQ(gradientsAt(reduce(OpKind::ReduceMax), {{1, kNan, 3, kNan}})[0], Numbers({0, 1, 0, 0}));
  EXPECT_EQ(gradientsAt(reduce(OpKind::ReduceMin), {{1, kNan, 0, kNan}})[0], Numbers({0, 1, 0, 0}));
}

TEST(Kinks, AbsIsFlatAtZero) {
  BuildValue abs = [](Builder &b, Values v) { return b.unary(OpKind::Abs, v[0]); };
  EXPECT_EQ(gradientsAt(abs, {{-2, -0.0, 0, 3}})[0], Numbers({-1, 0, 0, 1}));
}

TEST(Kinks, SqrtIsSteepAtZero) {
  BuildValue sqrt = [](Builder &b, Values v) { return b.unary(OpKind::Sqrt, v[0]); };
  EXPECT_EQ(gradientsAt(sqrt, {{0, 4}})[0], Numbers({kInf, 0.25}));
}

TEST(Kinks, PowersOfZero) {
  auto gradients = gradientsAt(binary(OpKind::Pow), {{0, 0, 0, 2}, {0, 1, 2, 0}});
  EXPECT_EQ(gradients[0], Numbers({0, 1, 0, 0}));
  EXPECT_EQ(gradients[1][0], 0);
  EXPECT_EQ(gradients[1][1], 0);
  EXPECT_EQ(gradients[1][2], 0);
  EXPECT_NEAR(gradients[1][3], std::log(2.0), 1e-15);
}

TEST(Kinks, ProductsAtZeros) {
  BuildValue product = [](Builder &b, Values v) { return b.reduce(OpKind::Product, v[0], {0}); };
  EXPECT_EQ(gradientsAt(product, {{2, 0, 4}})[0], Numbers({0, 8, 0}));
  EXPECT_EQ(gradientsAt(product, {{0, 3, 0}})[0], Numbers({0, 0, 0}));
  EXPECT_EQ(gradientsAt(product, {{-0.0}})[0], Numbers({1}));
}

TEST(Kinks, OverwrittenElementsGetNothing) {
  BuildValue scatter = [](Builder &b, Values v) {
    int64_t raw[] = {1, 7, 1};
    ValueId index = b.constant({DType::I64, {Dim(3)}},
                               Literal::fromElements(DType::I64, std::span<const int64_t>(raw)));
    ValueId written =
        b.create(OpKind::ScatterSet, {v[0], index, v[1]}, {{AttrKey::Axis, int64_t(0)}});
    return b.mul(written, written);
  };
  auto gradients = gradientsAt(scatter, {{1, 2, 3}, {4, 5, 6}});
  EXPECT_EQ(gradients[0], Numbers({2, 0, 0}));
  EXPECT_EQ(gradients[1], Numbers({0, 10, 12}));
}

// The branch that is not taken may be infinitely steep and still gives nothing.
TEST(Kinks, SelectHidesTheOtherBranch) {
  BuildValue guarded = [](Builder &b, Values v) {
    ValueId zero = b.splat(b.type(v[0]), 0);
    ValueId isPositive = b.binary(OpKind::Gt, v[0], zero);
    ValueId one = b.splat(b.type(v[0]), 1);
    ValueId safe = b.select(isPositive, v[0], one);
    return b.select(isPositive, b.unary(OpKind::Log, safe), zero);
  };
  EXPECT_EQ(gradientsAt(guarded, {{0, 4}})[0], Numbers({0, 0.25}));
}

TEST(Kinks, ClampedIndicesReachTheEdges) {
  BuildValue gather = [](Builder &b, Values v) {
    int32_t raw[] = {-5, 1, 9, 9};
    ValueId index = b.constant({DType::I32, {Dim(4)}},
                               Literal::fromElements(DType::I32, std::span<const int32_t>(raw)));
    return b.create(OpKind::Gather, {v[0], index}, {{AttrKey::Axis, int64_t(0)}});
  };
  EXPECT_EQ(gradientsAt(gather, {{1, 2, 3}})[0], Numbers({1, 1, 2}));
  BuildValue pick = [](Builder &b, Values v) {
    ValueId index = b.splatInteger({DType::I64, {}}, -3);
    return b.create(OpKind::Pick, {v[0], index});
  };
  EXPECT_EQ(gradientsAt(pick, {{1, 2, 3}})[0], Numbers({1, 0, 0}));
}

} // namespace
} // namespace apr::test
