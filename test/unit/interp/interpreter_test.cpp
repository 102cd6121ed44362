// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/interp/interpreter.h"

#include "ir/builder.h"
#include "ir/scan.h"

#include <cfenv>
#include <cmath>
#include <gtest/gtest.h>

namespace apr {
namespace {

template <typename T>
Tensor tensor(DType dtype, std::vector<int64_t> shape, std::vector<T> values) {
  Tensor result = Tensor::zeros(dtype, std::move(shape));
  std::copy(values.begin(), values.end(), result.elements<T>().begin());
  return result;
}

Tensor floats(std::vector<float> values) {
  auto count = static_cast<int64_t>(values.size());
  return tensor<float>(DType::F32, {count}, std::move(values));
}

Type f32(std::initializer_list<Dim> dims) { return {DType::F32, Shape(dims)}; }

TEST(Interpreter, RunsOpsInOrder) {
  Graph graph;
  ValueId x = graph.addArgument(f32({Dim::variable("B")}), "x");
  Builder b(graph);
  graph.results = {b.mul(b.add(x, x), x), x};
  Tensor input = floats({1, -2, 3});
  auto results = interpret(graph, std::span(&input, 1), {{"B", 3}});
  ASSERT_TRUE(results) << results.error();
  EXPECT_EQ((*results)[0].elements<float>()[1], 8.0f);
  EXPECT_EQ((*results)[1].elements<float>()[2], 3.0f);
}

TEST(Interpreter, ProductsAndSumsAreNotFused) {
  // With fma this would be -2^-24 instead of 0.
  Graph graph;
  ValueId x = graph.addArgument(f32({}), "x"), y = graph.addArgument(f32({}), "y");
  Builder b(graph);
  graph.results = {b.sub(b.mul(x, x), y)};
  float r = 1.0f + 0x1p-12f;
  std::vector<Tensor> inputs{Tensor::scalar(DType::F32, r), Tensor::scalar(DType::F32, r * r)};
  auto results = interpret(graph, inputs, {});
  ASSERT_TRUE(results) << results.error();
  EXPECT_EQ((*results)[0].elements<float>()[0], 0.0f);
}

TEST(Interpreter, KeepsItsFloatEnvironment) {
  Graph graph;
  ValueId x = graph.addArgument(f32({}), "x"), y = graph.addArgument(f32({}), "y");
  Builder b(graph);
  graph.results = {b.add(x, y)};
  std::vector<Tensor> inputs{Tensor::scalar(DType::F32, 1.0f),
                             Tensor::scalar(DType::F32, 0x1p-30f)};
  std::fesetround(FE_UPWARD);
  auto results = interpret(graph, inputs, {});
  EXPECT_EQ(std::fegetround(), FE_UPWARD) << "the caller's mode comes back";
  std::fesetround(FE_TONEAREST);
  ASSERT_TRUE(results) << results.error();
  EXPECT_EQ((*results)[0].elements<float>()[0], 1.0f);
}

TEST(Interpreter, ResultsHaveCanonicalNaNs) {
  Graph graph;
  ValueId x = graph.addArgument({DType::I32, {}}, "x");
  Builder b(graph);
  graph.results = {b.neg(b.bitcast(x, DType::F32))};
  Tensor input = Tensor::scalar(DType::I32, int32_t(0x7fc12345));
  auto results = interpret(graph, std::span(&input, 1), {});
  ASSERT_TRUE(results) << results.error();
  EXPECT_EQ((*results)[0].elements<uint32_t>()[0], 0x7fc00000u);
}

TEST(Interpreter, AnyByteButZeroIsTrue) {
  Graph graph;
  ValueId x = graph.addArgument({DType::Bool, {Dim(3)}}, "x");
  Builder b(graph);
  graph.results = {b.unary(OpKind::Not, x), x};
  Tensor input = tensor<uint8_t>(DType::Bool, {3}, {0, 1, 2});
  auto results = interpret(graph, std::span(&input, 1), {});
  ASSERT_TRUE(results) << results.error();
  EXPECT_EQ((*results)[0].elements<uint8_t>()[2], 0);
  EXPECT_EQ((*results)[1].elements<uint8_t>()[2], 1);
}

TEST(Interpreter, MemoryIsLimited) {
  Graph graph;
  ValueId x = graph.addArgument(f32({}), "x");
  Builder b(graph);
  graph.results = {b.broadcast(x, {Dim::variable("N")}, {})};
  Tensor input = Tensor::scalar(DType::F32, 1.0f);
  InterpreterOptions options;
  options.maximumBytes = 1000;
  EXPECT_TRUE(interpret(graph, std::span(&input, 1), {{"N", 100}}, options));
  auto results = interpret(graph, std::span(&input, 1), {{"N", 1000}}, options);
  ASSERT_FALSE(results);
  EXPECT_NE(results.error().find("memory"), std::string::npos) << results.error();
  EXPECT_FALSE(interpret(graph, std::span(&input, 1), {{"N", INT64_MAX}}));
  EXPECT_FALSE(interpret(graph, std::span(&input, 1), {{"N", INT64_MAX / 8}}));
  EXPECT_FALSE(interpret(graph, std::span(&input, 1), {{"N", -1}}));
}

TEST(Interpreter, DeadValuesGiveTheirMemoryBack) {
  Graph graph;
  ValueId x = graph.addArgument(f32({Dim(100)}), "x");
  Builder b(graph);
  ValueId y = x;
  for (int i = 0; i < 100; ++i)
    y = b.neg(y);
  graph.results = {y};
  Tensor input = floats(std::vector<float>(100, 1.0f));
  InterpreterOptions options;
  options.maximumBytes = 1300;
  auto results = interpret(graph, std::span(&input, 1), {}, options);
  EXPECT_TRUE(results) << results.error();
}

// What a step computes is gone before the next one: the carry, its new value and one in between.
TEST(Interpreter, StepsOfAScanGiveTheirMemoryBack) {
  Graph graph;
  ValueId x = graph.addArgument(f32({Dim(100)}), "x");
  auto region = std::make_shared<Graph>();
  ValueId carry = region->addArgument(f32({Dim(100)}));
  Builder inner(*region);
  region->results = {inner.neg(inner.unary(OpKind::Abs, carry))};
  Builder b(graph);
  graph.results =
      createScan(b, {{x}, {}, {}}, Dim::variable("T"), ScanDirection::Forwards, region);
  Tensor input = floats(std::vector<float>(100, 1.0f));
  InterpreterOptions options;
  options.maximumBytes = 1700;
  for (int64_t steps : {0, 1, 1000}) {
    auto results = interpret(graph, std::span(&input, 1), {{"T", steps}}, options);
    EXPECT_TRUE(results) << results.error();
  }
  options.maximumBytes = 700;
  EXPECT_FALSE(interpret(graph, std::span(&input, 1), {{"T", 1}}, options));
  EXPECT_FALSE(interpret(graph, std::span(&input, 1), {{"T", -1}}));
}

TEST(Interpreter, WrongArgumentsAreExplained) {
  Graph graph;
  graph.results = {graph.addArgument(f32({Dim::variable("B"), Dim(2)}), "x")};
  Tensor vector = floats({1, 2});
  auto results = interpret(graph, std::span(&vector, 1), {{"B", 1}});
  ASSERT_FALSE(results);
  EXPECT_EQ(results.error(), "x is f32[2], expected f32[1,2]");
  EXPECT_FALSE(interpret(graph, {}, {{"B", 1}}));
  EXPECT_FALSE(interpret(graph, std::span(&vector, 1), {})) << "B is not bound";
  Tensor lying{DType::F32, {1, 2}, std::vector<std::byte>(4)};
  EXPECT_FALSE(interpret(graph, std::span(&lying, 1), {{"B", 1}}));
}

TEST(Interpreter, IllTypedGraphsAreRefused) {
  Graph graph;
  ValueId x = graph.addArgument(f32({Dim(2)}), "x");
  graph.addOp(OpKind::Neg, {x}, {}, {{DType::F64, {Dim(2)}}});
  graph.results = {graph.ops()[0].result()};
  Tensor input = floats({1, 2});
  EXPECT_FALSE(interpret(graph, std::span(&input, 1), {}));
}

TEST(Interpreter, RangesThatDoNotDivideAreRefused) {
  Graph graph;
  ValueId x = graph.addArgument(f32({Dim::variable("N")}), "x");
  Builder b(graph);
  graph.results = {b.create(OpKind::Sum, {x},
                            {{AttrKey::Axes, std::vector<int64_t>{0}},
                             {AttrKey::Order, Order::ranges(Dim(2), Order::seq())}})};
  Tensor even = floats({1, 2}), odd = floats({1, 2, 3});
  EXPECT_TRUE(interpret(graph, std::span(&even, 1), {{"N", 2}}));
  EXPECT_FALSE(interpret(graph, std::span(&odd, 1), {{"N", 3}}));
}

TEST(Interpreter, ObservesEveryValueOfTheTopLevel) {
  Graph graph;
  ValueId x = graph.addArgument(f32({}), "x");
  Builder b(graph);
  ValueId y = b.neg(x), z = b.add(y, x);
  graph.results = {z};
  std::vector<ValueId> seen;
  InterpreterOptions options;
  options.observe = [&](ValueId id, const Tensor &) { seen.push_back(id); };
  Tensor input = Tensor::scalar(DType::F32, 1.0f);
  ASSERT_TRUE(interpret(graph, std::span(&input, 1), {}, options));
  EXPECT_EQ(seen, (std::vector<ValueId>{y, z}));
}

TEST(Interpreter, GradientOpsMustBeReplacedFirst) {
  Graph graph;
  ValueId x = graph.addArgument(f32({}), "x");
  Builder b(graph);
  graph.results = b.createMulti(OpKind::Gradient, {x, x});
  Tensor input = Tensor::scalar(DType::F32, 1.0f);
  EXPECT_FALSE(interpret(graph, std::span(&input, 1), {}));
}

/// func @f dims(B) (%x: f32[B,2], %i: i32[B] below C) with check B - 1 >= 0.
Function makeFunction() {
  Function f;
  f.name = "f";
  f.dims = {"B", "C"};
  ValueId x = f.graph.addArgument(f32({Dim::variable("B"), Dim(2)}), "x");
  f.graph.addArgument({DType::I32, {Dim::variable("B")}}, "i");
  f.arguments = {{ArgumentRole::Input, "x", {}}, {ArgumentRole::Input, "i", Dim::variable("C")}};
  f.checks = {
      {DimCheck::Kind::NonNegative, Dim::variable("B") - Dim(1), "there must be a row", {}}};
  f.graph.results = {x};
  f.results = {{ResultRole::Result, "r"}};
  return f;
}

TEST(InterpretFunction, BindsDimsFromArguments) {
  Function f = makeFunction();
  std::vector<Tensor> arguments{tensor<float>(DType::F32, {2, 2}, {1, 2, 3, 4}),
                                tensor<int32_t>(DType::I32, {2}, {0, 4})};
  EXPECT_TRUE(interpretFunction(f, arguments, {{"C", 5}}));
  EXPECT_FALSE(interpretFunction(f, arguments)) << "C is in no shape";
  auto tooHigh = interpretFunction(f, arguments, {{"C", 4}});
  ASSERT_FALSE(tooHigh);
  EXPECT_EQ(tooHigh.error(), "element 1 of i is 4, outside [0, 4)");
  arguments[1] = tensor<int32_t>(DType::I32, {2}, {0, -1});
  EXPECT_FALSE(interpretFunction(f, arguments, {{"C", 5}}));
  arguments[1] = tensor<int32_t>(DType::I32, {3}, {0, 1, 1});
  EXPECT_FALSE(interpretFunction(f, arguments, {{"C", 5}})) << "B is 2";
}

TEST(InterpretFunction, ChecksDims) {
  Function f = makeFunction();
  std::vector<Tensor> arguments{tensor<float>(DType::F32, {0, 2}, {}),
                                tensor<int32_t>(DType::I32, {0}, {})};
  auto results = interpretFunction(f, arguments, {{"C", 5}});
  ASSERT_FALSE(results);
  EXPECT_EQ(results.error(), "there must be a row");
}

} // namespace
} // namespace apr
