// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "random_graph.h"

#include "ir/scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

namespace apr::test {
namespace {

constexpr double kEdges[] = {0.0,
                             -0.0,
                             1.0,
                             -1.0,
                             2.0,
                             -4.0,
                             0.5,
                             3.0,
                             -7.25,
                             0x1p-140,
                             0x1p120,
                             std::numeric_limits<double>::infinity(),
                             std::numeric_limits<double>::quiet_NaN()};

class Generator {
public:
  explicit Generator(uint64_t seed, int depth = 0)
      : engine_(seed), depth_(depth), b_(graph_), shapes_{{},
                                                          {Dim(3)},
                                                          {Dim(2), Dim(3)},
                                                          {Dim::variable("B"), Dim(3)},
                                                          {Dim(1), Dim(3)},
                                                          {Dim(3), Dim(3)}} {}

  Graph generate() {
    for (const Shape &shape : shapes_)
      for (DType dtype : {DType::F32, DType::F64, DType::I32, DType::Bool})
        keep(graph_.addArgument({dtype, shape}));
    for (int i = 0; i < 60; ++i)
      addOp();
    // Most values are results, so that a wrong bit anywhere shows; some are dead.
    for (const auto *values : {&values_, &stacks_})
      for (ValueId v : *values)
        if (below(4))
          graph_.results.push_back(v);
    return std::move(graph_);
  }

private:
  size_t below(size_t n) { return size_t(engine_() % n); }
  void keep(ValueId v) { values_.push_back(v); }
  /// Mostly a late value, so that ops form chains.
  ValueId any() {
    size_t n = values_.size();
    return below(3) ? values_[n - 1 - below(std::min<size_t>(n, 12))] : values_[below(n)];
  }
  ValueId anyOf(const Type &type) {
    std::vector<ValueId> fitting;
    for (ValueId v : values_)
      if (graph_.type(v) == type)
        fitting.push_back(v);
    if (fitting.empty() || below(3) == 0)
      return constant(type);
    return below(2) ? fitting.back() : fitting[below(fitting.size())];
  }
  ValueId constant(const Type &type) {
    double value = kEdges[below(std::size(kEdges))];
    if (isFloat(type.dtype))
      return b_.splat(type, value);
    if (type.dtype == DType::Bool)
      return b_.splatInteger(type, int64_t(below(2)));
    return b_.splatInteger(type, int64_t(below(5)) - (type.dtype == DType::U8 ? 0 : 2));
  }

  /// A loop whose body is a random graph of its own.
  void addScan() {
    ScanOperands operands;
    for (size_t n = below(3); n-- > 0;)
      operands.carries.push_back(any());
    operands.captured = {any(), any()};
    ValueId input = any();
    Dim length = below(2) ? Dim(2) : Dim::variable("B");
    if (graph_.type(input).rank() > 0) {
      operands.inputs.push_back(input);
      length = graph_.type(input).shape[0];
    }
    auto region =
        std::make_shared<Graph>(Generator(engine_(), depth_ + 1).makeStep(graph_, operands));
    auto direction = below(2) ? ScanDirection::Forwards : ScanDirection::Backwards;
    for (ValueId v : createScan(b_, operands, length, direction, region))
      graph_.type(v).rank() <= 2 ? keep(v) : stacks_.push_back(v);
  }

  Graph makeStep(const Graph &graph, const ScanOperands &operands) {
    for (ValueId v : operands.carries)
      keep(graph_.addArgument(graph.type(v)));
    for (ValueId v : operands.inputs)
      keep(graph_.addArgument(sliceType(graph.type(v))));
    for (ValueId v : operands.captured)
      keep(graph_.addArgument(graph.type(v)));
    for (size_t n = below(12); n-- > 0;)
      addOp();
    for (ValueId v : operands.carries)
      graph_.results.push_back(anyOf(graph.type(v)));
    graph_.results.push_back(any());
    return std::move(graph_);
  }

  void addOp() {
    if (depth_ < 2 && below(15) == 0)
      return addScan();
    ValueId x = any();
    Type type = graph_.type(x);
    switch (below(8)) {
    case 0:
    case 1:
      return keep(addUnary(x, type));
    case 2:
    case 3:
    case 4:
      return keep(addBinary(x, type));
    case 5:
      return keep(b_.convert(x, kAllDTypes[below(6)]));
    default:
      return addMovement(x, type);
    }
  }

  ValueId addUnary(ValueId x, const Type &type) {
    if (type.dtype == DType::Bool)
      return b_.unary(OpKind::Not, x);
    if (!isFloat(type.dtype))
      return b_.unary(below(2) ? OpKind::Neg : OpKind::StopGradient, x);
    OpKind kinds[] = {OpKind::Neg,  OpKind::Neg,  OpKind::Abs,         OpKind::Floor,
                      OpKind::Sign, OpKind::Sqrt, OpKind::StopGradient};
    return b_.unary(kinds[below(std::size(kinds))], x);
  }

  ValueId addBinary(ValueId x, const Type &type) {
    ValueId y = anyOf(type);
    if (below(2))
      std::swap(x, y);
    if (below(5) == 0)
      return b_.select(anyOf({DType::Bool, type.shape}), x, y);
    if (type.dtype == DType::Bool)
      return b_.binary(below(2) ? OpKind::And : OpKind::Or, x, y);
    if (isFloat(type.dtype) && below(6) == 0)
      return b_.fma(x, y, anyOf(type));
    OpKind kinds[] = {OpKind::Add, OpKind::Sub, OpKind::Mul, OpKind::Div,
                      OpKind::Min, OpKind::Max, OpKind::Lt};
    return b_.binary(kinds[below(std::size(kinds))], x, y);
  }

  void addMovement(ValueId x, const Type &type) {
    switch (type.rank()) {
    case 0:
      return keep(b_.broadcast(x, shapes_[below(shapes_.size())], {}));
    case 1:
      return addMovementOfVector(x, type);
    default:
      return addMovementOfMatrix(x, type);
    }
  }

  void addMovementOfVector(ValueId x, const Type &type) {
    Shape row{Dim(1), type.shape[0]};
    switch (below(4)) {
    case 0:
      return keep(b_.reshape(x, row));
    case 1:
      if (type.dtype != DType::Bool)
        keep(b_.sum(b_.reshape(x, row), {int64_t(below(2))}));
      return;
    default:
      return keep(b_.broadcast(x, {Dim(2), type.shape[0]}, {1}));
    }
  }

  void addMovementOfMatrix(ValueId x, const Type &type) {
    Shape zeros{Dim(0), Dim(0)};
    switch (below(10)) {
    case 7:
      return keep(b_.create(OpKind::Reverse, {x}, {{AttrKey::Axes, std::vector<int64_t>{1}}}));
    case 8:
      if (type.dtype == DType::Bool)
        return keep(b_.reduce(below(2) ? OpKind::ReduceMax : OpKind::ReduceMin, x, {0}));
      return keep(b_.reduce(OpKind::Product, x, {int64_t(below(2))}));
    case 9:
      if (type.dtype != DType::Bool)
        keep(b_.create(OpKind::CumSum, {x}, {{AttrKey::Axis, int64_t(below(2))}}));
      return;
    case 0:
      return keep(b_.transpose(b_.transpose(x, {1, 0}), {1, 0}));
    case 1:
      return keep(b_.slice(x, zeros, type.shape, {1, 1}));
    case 2: {
      ValueId fill = below(2) ? anyOf({type.dtype, {}}) : constant({type.dtype, {}});
      ValueId wide = b_.pad(x, fill, {Dim(int64_t(below(2))), Dim(0)}, zeros, {1, 1});
      return keep(b_.slice(wide, zeros, type.shape, {1, 1}));
    }
    case 3:
      if (type.dtype != DType::Bool)
        keep(b_.sum(x, {int64_t(below(2))}));
      return;
    case 4:
      if (type.dtype != DType::Bool)
        keep(b_.reduce(below(2) ? OpKind::ReduceMax : OpKind::ReduceMin, x, {0}));
      return;
    case 5: {
      if (!isFloat(type.dtype) || type.shape[1] != Dim(3))
        return;
      ValueId square = anyOf({type.dtype, {Dim(3), Dim(3)}});
      return keep(
          b_.matmul(b_.transpose(x, {1, 0}), b_.transpose(square, {1, 0}), true, below(2) != 0));
    }
    default:
      return keep(b_.reshape(b_.reshape(x, {elementCount(type.shape)}), type.shape));
    }
  }

  std::mt19937_64 engine_;
  int depth_; ///< of the region that is made
  Graph graph_;
  Builder b_;
  std::vector<Shape> shapes_;
  std::vector<ValueId> values_;
  std::vector<ValueId> stacks_; ///< of more axes than the other ops are made for
};

} // namespace

Module makeRandomModule(uint64_t seed) {
  Module module;
  module.name = "random";
  Function function;
  function.name = "f";
  function.dims = {"B"};
  function.graph = Generator(seed).generate();
  for (size_t i = 0; i < function.graph.arguments().size(); ++i)
    function.arguments.push_back({ArgumentRole::Input, "x" + std::to_string(i), std::nullopt});
  for (size_t i = 0; i < function.graph.results.size(); ++i)
    function.results.push_back({ResultRole::Result, "r" + std::to_string(i), ResultKind::Tensor});
  module.functions.push_back(std::move(function));
  return module;
}

std::vector<Tensor> makeRandomArguments(const Module &module, const DimBindings &dims,
                                        uint64_t seed) {
  std::mt19937_64 engine(seed);
  std::vector<Tensor> arguments;
  const Graph &graph = module.functions.front().graph;
  for (ValueId v : graph.arguments()) {
    std::vector<int64_t> shape;
    for (const Dim &dim : graph.type(v).shape)
      shape.push_back(dim.evaluate(dims).value());
    Tensor tensor = Tensor::zeros(graph.type(v).dtype, shape);
    for (size_t i = 0; i < size_t(tensor.count()); ++i) {
      double edge =
          engine() & 1 ? kEdges[engine() % std::size(kEdges)] : double(int64_t(engine())) * 0x1p-60;
      if (tensor.dtype == DType::F32)
        tensor.elements<float>()[i] = float(edge);
      else if (tensor.dtype == DType::F64)
        tensor.elements<double>()[i] = edge;
      else if (tensor.dtype == DType::I32)
        tensor.elements<int32_t>()[i] = int32_t(engine());
      else
        tensor.elements<uint8_t>()[i] = uint8_t(engine() & 1);
    }
    arguments.push_back(std::move(tensor));
  }
  return arguments;
}

std::vector<Tensor> runFunction(const Module &module, const std::vector<Tensor> &arguments,
                                const DimBindings &dims) {
  auto results = interpretFunction(module.functions.front(), arguments, dims);
  EXPECT_TRUE(results) << (results ? "" : results.error());
  return results ? std::move(*results) : std::vector<Tensor>();
}

bool haveSameBits(const std::vector<Tensor> &a, const std::vector<Tensor> &b) {
  return std::ranges::equal(a, b, [](const Tensor &x, const Tensor &y) {
    return x.dtype == y.dtype && x.shape == y.shape && x.data == y.data;
  });
}

} // namespace apr::test
