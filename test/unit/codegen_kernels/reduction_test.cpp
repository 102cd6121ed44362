// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "harness.h"

#include <gtest/gtest.h>

namespace apr::test {
namespace {

const Dim kN = Dim::variable("N");

ValueId sumIn(Builder &b, ValueId x, std::vector<int64_t> axes, const std::string &order) {
  Attributes attributes{{AttrKey::Axes, std::move(axes)}};
  if (!order.empty())
    attributes.set(AttrKey::Order, *parseOrder(order));
  return b.create(OpKind::Sum, {x}, attributes);
}

const char *kOrders[] = {"",
                         "seq",
                         "tree(seq(5))",
                         "tree(seq(1))",
                         "tree(lanes(32,4096))",
                         "tree(lanes(8,24))",
                         "tree(lanes(64,128))",
                         "tree(lanes(1,3))",
                         "tree(2,tree(lanes(4,8)))",
                         "tree(2,tree(3,tree(seq(4))))"};

TEST(ReductionKernels, SumOfAllInEveryOrder) {
  for (const char *order : kOrders) {
    Graph graph;
    ValueId x = graph.addArgument({DType::F32, {kN}});
    Builder b(graph);
    graph.results = {sumIn(b, x, {0}, order)};
    for (int64_t n : {0, 6, 12, 66, 258, 4098, 12300})
      expectSameBits(graph, {randomTensor(DType::F32, {n}, 1)}, {{"N", n}}, {Division::OneKernel});
  }
  for (const char *order : {"", "tree(seq(5))", "tree(lanes(8,24))"}) {
    Graph graph;
    ValueId x = graph.addArgument({DType::F64, {kN}});
    Builder b(graph);
    graph.results = {sumIn(b, x, {0}, order)};
    for (int64_t n : {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 31, 33, 511, 513, 4095, 4097, 8193})
      expectSameBits(graph, {randomTensor(DType::F64, {n}, 1, Content::Edges)}, {{"N", n}},
                     {Division::OneKernel});
  }
}

TEST(ReductionKernels, AxesAndOrders) {
  for (const char *order : kOrders)
    for (std::vector<int64_t> axes :
         {std::vector<int64_t>{0}, {1}, {2}, {0, 1}, {1, 2}, {0, 2}, {0, 1, 2}}) {
      Graph graph;
      ValueId x = graph.addArgument({DType::F32, {kN, 6, 36}});
      Builder b(graph);
      graph.results = {sumIn(b, x, axes, order)};
      for (int64_t n : {6, 12})
        expectSameBits(graph, {randomTensor(DType::F32, {n, 6, 36}, 1)}, {{"N", n}},
                       {Division::OneKernel});
    }
}

TEST(ReductionKernels, Extrema) {
  for (DType dtype : {DType::F32, DType::F64, DType::I32, DType::I64, DType::U8})
    for (std::vector<int64_t> axes : {std::vector<int64_t>{0}, {1}, {0, 1}}) {
      Graph graph;
      ValueId x = graph.addArgument({dtype, {kN, 33}});
      Builder b(graph);
      for (OpKind kind : {OpKind::ReduceMax, OpKind::ReduceMin, OpKind::ArgMax})
        graph.results.push_back(b.reduce(kind, x, axes));
      graph.results.push_back(sumIn(b, x, axes, ""));
      for (int64_t n : {0, 1, 3, 70}) {
        const Content content = n == 70 ? Content::Ordinary : Content::Edges;
        expectSameBits(graph, {randomTensor(dtype, {n, 33}, 7, content)}, {{"N", n}},
                       {Division::OneKernel});
      }
    }
}

TEST(ReductionKernels, ZerosInExtrema) {
  Graph graph;
  ValueId x = graph.addArgument({DType::F32, {2, 40}});
  Builder b(graph);
  for (OpKind kind : {OpKind::ReduceMax, OpKind::ReduceMin, OpKind::ArgMax})
    graph.results.push_back(b.reduce(kind, x, {1}));
  Tensor zeros = Tensor::zeros(DType::F32, {2, 40});
  for (size_t i = 0; i < 80; ++i)
    zeros.elements<float>()[i] = i % 3 == 0 ? -0.0f : 0.0f;
  expectSameBits(graph, {zeros});
}

/// softmax, its cross-entropy and the gradient: several reductions over a row.
TEST(ReductionKernels, SoftmaxRows) {
  for (int64_t classes : {1, 10, 33, 100}) {
    Graph graph;
    const Shape shape{kN, classes};
    ValueId x = graph.addArgument({DType::F32, shape});
    ValueId y = graph.addArgument({DType::I32, {kN}});
    Builder b(graph);
    ValueId top = b.reduce(OpKind::ReduceMax, x, {1});
    ValueId shifted = b.sub(x, b.broadcast(top, shape, {0}));
    ValueId power = b.unary(OpKind::Exp, shifted);
    ValueId total = b.sum(power, {1});
    ValueId log = b.unary(OpKind::Log, total);
    ValueId picked = b.create(OpKind::Pick, {shifted, y});
    ValueId loss = b.sub(log, picked);
    ValueId soft = b.div(power, b.broadcast(total, shape, {0}));
    ValueId hot = b.create(OpKind::OneHot, {y}, {}, Type{DType::F32, shape});
    ValueId gradient = b.sub(soft, hot);
    ValueId mean = b.sum(loss, {0});
    graph.results = {loss, gradient};
    for (int64_t n : {0, 1, 13})
      expectSameBits(graph,
                     {randomTensor(DType::F32, {n, classes}, 3),
                      randomIntegers(DType::I32, {n}, 4, 0, classes)},
                     {{"N", n}});
    graph.results = {mean, gradient};
    expectSameBits(graph,
                   {randomTensor(DType::F32, {40, classes}, 3),
                    randomIntegers(DType::I32, {40}, 4, 0, classes)},
                   {{"N", 40}}, {Division::EachOp, Division::Fused});
  }
}

/// Variance over the batch: a reduction that depends on another, lanes across the kept axis.
TEST(ReductionKernels, BatchVariance) {
  Graph graph;
  const Shape shape{kN, 21};
  ValueId x = graph.addArgument({DType::F32, shape});
  Builder b(graph);
  ValueId mean = b.sum(x, {0});
  ValueId centred = b.sub(x, b.broadcast(mean, shape, {1}));
  graph.results = {b.sum(b.mul(centred, centred), {0})};
  for (int64_t n : {0, 1, 50})
    expectSameBits(graph, {randomTensor(DType::F32, {n, 21}, 3)}, {{"N", n}});
}

/// Axes that no op tells apart become one.
TEST(ReductionKernels, CollapsedAxes) {
  Graph graph;
  const Shape shape{kN, 3, 2, 5};
  const Type scalar{DType::I64, {}};
  ValueId x = graph.addArgument({DType::F32, shape});
  ValueId row = graph.addArgument({DType::F32, {kN, 3}});
  ValueId seed = graph.addArgument(scalar), offset = graph.addArgument(scalar);
  Builder b(graph);
  ValueId noise = b.create(OpKind::Uniform, {seed, seed, offset},
                           {{AttrKey::Stream, std::string("noise")}}, Type{DType::F32, shape});
  ValueId sum = b.add(b.add(x, b.broadcast(row, shape, {0, 1})), noise);
  ValueId total = b.sum(sum, {2, 3});
  graph.results = {b.sub(sum, b.broadcast(total, shape, {0, 1})),
                   b.reduce(OpKind::ArgMax, sum, {2, 3})};
  const std::vector<Tensor> arguments = {
      randomTensor(DType::F32, {4, 3, 2, 5}, 1), randomTensor(DType::F32, {4, 3}, 2),
      Tensor::scalar<int64_t>(DType::I64, 99), Tensor::scalar<int64_t>(DType::I64, 7)};
  expectSameBits(graph, arguments, {{"N", 4}});
  graph.results = {b.sum(sum, {0, 1, 2, 3})};
  expectSameBits(graph, arguments, {{"N", 4}});
  graph.results = {noise};
  expectSameBits(graph, arguments, {{"N", 4}});
}

} // namespace
} // namespace apr::test
