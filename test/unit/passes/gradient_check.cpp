// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "gradient_check.h"

#include "ir/verifier.h"
#include "passes/differentiate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

namespace apr::test {
namespace {

/// The sum of value[i] times a weight that differs from element to element, so that a derivative in
/// a wrong place shows: (i + 1)² mod 17, scaled and shifted.
ValueId weightedSum(Builder &b, ValueId value) {
  Type type = b.type(value);
  Type flat{type.dtype, {elementCount(type.shape)}};
  ValueId index = b.add(b.iota(flat, 0), b.splat(flat, 1));
  ValueId square = b.convert(b.mul(index, index), DType::I64);
  Type integer{DType::I64, flat.shape};
  ValueId residue = b.binary(OpKind::Rem, square, b.splatInteger(integer, 17));
  ValueId weight =
      b.sub(b.mul(b.convert(residue, type.dtype), b.splat(flat, 0.125)), b.splat(flat, 0.71));
  return b.sum(b.mul(b.reshape(value, flat.shape), weight), {0});
}

Graph buildLoss(const GradientCase &c, std::vector<ValueId> &floats, ValueId &loss) {
  Graph graph;
  std::vector<ValueId> arguments;
  for (size_t i = 0; i < c.arguments.size(); ++i)
    arguments.push_back(graph.addArgument(c.arguments[i], "a" + std::to_string(i)));
  Builder b(graph);
  loss = weightedSum(b, c.build(b, arguments));
  for (ValueId v : arguments)
    if (isFloat(graph.type(v).dtype))
      floats.push_back(v);
  return graph;
}

void addGradient(Graph &graph, ValueId loss, const std::vector<ValueId> &floats) {
  std::vector<ValueId> operands{loss};
  operands.insert(operands.end(), floats.begin(), floats.end());
  graph.results = Builder(graph).createMulti(OpKind::Gradient, operands);
}

Graph differentiated(const GradientCase &c, Graph graph) {
  Module module;
  module.name = "m";
  Function function;
  function.name = "f";
  for (const auto &[name, value] : c.dims)
    function.dims.push_back(name);
  for (ValueId v : graph.arguments())
    function.arguments.push_back({ArgumentRole::Input, graph.value(v).name, std::nullopt});
  for (size_t i = 0; i < graph.results.size(); ++i)
    function.results.push_back({ResultRole::Result, "r" + std::to_string(i), ResultKind::Tensor});
  function.graph = std::move(graph);
  module.functions.push_back(std::move(function));
  Diagnostics diagnostics;
  EXPECT_TRUE(verify(module, diagnostics));
  differentiate(module, {}, diagnostics);
  EXPECT_TRUE(verify(module, diagnostics));
  for (const Diagnostic &diagnostic : diagnostics.all())
    ADD_FAILURE() << diagnostic.message;
  return std::move(module.functions.front().graph);
}

std::vector<Tensor> run(const Graph &graph, const std::vector<Tensor> &arguments,
                        const DimBindings &dims) {
  auto results = interpret(graph, arguments, dims);
  EXPECT_TRUE(results) << (results ? "" : results.error());
  return results ? *results : std::vector<Tensor>();
}

double lossAt(const Graph &graph, const std::vector<Tensor> &arguments, const DimBindings &dims) {
  auto results = run(graph, arguments, dims);
  return results.empty() ? std::nan("") : results[0].elements<double>()[0];
}

std::vector<Tensor> randomArguments(const GradientCase &c) {
  std::vector<Tensor> arguments;
  for (const Type &type : c.arguments)
    arguments.push_back(randomTensor(type, c.dims, 7 + arguments.size(), c.low, c.high));
  return arguments;
}

/// Compares `gradients`, one per float argument, with differences of `lossGraph`.
void compare(const GradientCase &c, const Graph &lossGraph, const std::vector<Tensor> &gradients) {
  std::vector<Tensor> arguments = randomArguments(c);
  double scale = 1;
  for (const Tensor &gradient : gradients)
    for (double value : gradient.elements<double>())
      scale = std::max(scale, std::fabs(value));
  size_t which = 0;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (!isFloat(arguments[i].dtype))
      continue;
    ASSERT_EQ(gradients[which].shape, arguments[i].shape) << c.name;
    for (int64_t j = 0; j < arguments[i].count(); ++j) {
      auto at = [&](double x) {
        std::vector<Tensor> moved = arguments;
        moved[i].elements<double>()[size_t(j)] = x;
        return lossAt(lossGraph, moved, c.dims);
      };
      double x = arguments[i].elements<double>()[size_t(j)];
      double h = 1e-5 * std::max(1.0, std::fabs(x));
      double difference = (at(x + h) - at(x - h)) / ((x + h) - (x - h));
      EXPECT_NEAR(gradients[which].elements<double>()[size_t(j)], difference, c.tolerance * scale)
          << c.name << ": argument " << i << ", element " << j << " at " << x;
    }
    ++which;
  }
}

} // namespace

Tensor randomTensor(const Type &type, const DimBindings &dims, uint64_t seed, double low,
                    double high) {
  std::vector<int64_t> shape;
  for (const Dim &dim : type.shape)
    shape.push_back(dim.evaluate(dims).value());
  Tensor tensor = Tensor::zeros(type.dtype, shape);
  std::mt19937_64 engine(seed);
  auto next = [&] { return double(engine() >> 11) * 0x1p-53; };
  for (int64_t i = 0; i < tensor.count(); ++i) {
    double real = low + (high - low) * next();
    int64_t integer = int64_t(next() * 6) - 1;
    switch (type.dtype) {
    case DType::F32:
      tensor.elements<float>()[size_t(i)] = float(real);
      break;
    case DType::F64:
      tensor.elements<double>()[size_t(i)] = real;
      break;
    case DType::I32:
      tensor.elements<int32_t>()[size_t(i)] = int32_t(integer);
      break;
    case DType::I64:
      tensor.elements<int64_t>()[size_t(i)] = integer;
      break;
    case DType::Bool:
    case DType::U8:
      tensor.elements<uint8_t>()[size_t(i)] = uint8_t(engine() & 1);
      break;
    case DType::BF16:
      break; // zeros: nothing computes with them
    }
  }
  return tensor;
}

std::vector<int64_t> allAxes(const Type &type) {
  std::vector<int64_t> axes(type.rank());
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

void checkGradient(const GradientCase &c) {
  std::vector<ValueId> floats;
  ValueId loss = kNoValue;
  Graph graph = buildLoss(c, floats, loss);
  Graph lossGraph = graph;
  lossGraph.results = {loss};
  addGradient(graph, loss, floats);
  Graph gradientGraph = differentiated(c, std::move(graph));
  compare(c, lossGraph, run(gradientGraph, randomArguments(c), c.dims));
}

void checkSecondGradient(const GradientCase &c) {
  std::vector<ValueId> floats;
  ValueId loss = kNoValue;
  Graph graph = buildLoss(c, floats, loss);
  addGradient(graph, loss, floats);
  std::vector<ValueId> first = graph.results;
  Builder b(graph);
  ValueId total = kNoValue;
  for (ValueId gradient : first) {
    ValueId part = weightedSum(b, gradient);
    total = total == kNoValue ? part : b.add(total, part);
  }
  Graph lossGraph = graph;
  lossGraph.results = {total};
  lossGraph = differentiated(c, std::move(lossGraph));
  addGradient(graph, total, floats);
  Graph gradientGraph = differentiated(c, std::move(graph));
  compare(c, lossGraph, run(gradientGraph, randomArguments(c), c.dims));
}

} // namespace apr::test
