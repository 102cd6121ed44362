// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "harness.h"

#include <gtest/gtest.h>

namespace apr::test {
namespace {

const Dim kN = Dim::variable("N");

TEST(MovementKernels, ReshapeAndTranspose) {
  Graph graph;
  ValueId x = graph.addArgument({DType::F32, {kN, 6, 10}});
  Builder b(graph);
  ValueId t = b.transpose(x, {2, 0, 1});
  graph.results.push_back(t);
  expectSameBits(graph, {randomTensor(DType::F32, {5, 6, 10}, 1)}, {{"N", 5}});

  for (Shape shape : {Shape{kN * 60}, Shape{kN, 60}, Shape{kN, 1, 6, 2, 5}, Shape{kN * 6, 10},
                      Shape{3, 20, kN}, Shape{kN, 4, 15}}) {
    Graph reshaped;
    ValueId y = reshaped.addArgument({DType::F32, {kN, 6, 10}});
    Builder rb(reshaped);
    reshaped.results = {rb.unary(OpKind::Neg, rb.reshape(y, shape))};
    for (int64_t n : {0, 1, 3})
      expectSameBits(reshaped, {randomTensor(DType::F32, {n, 6, 10}, 1)}, {{"N", n}});
  }
}

TEST(MovementKernels, BroadcastSlicePadConcat) {
  for (int64_t n : {0, 1, 2, 19, 40}) {
    Graph graph;
    ValueId x = graph.addArgument({DType::F32, {kN, 7}});
    ValueId row = graph.addArgument({DType::F32, {7}});
    ValueId column = graph.addArgument({DType::F32, {kN}});
    ValueId fill = graph.addArgument({DType::F32, {}});
    Builder b(graph);
    const Shape shape{kN, 7};
    ValueId sum = b.add(x, b.add(b.broadcast(row, shape, {1}), b.broadcast(column, shape, {0})));
    graph.results = {b.mul(sum, b.broadcast(fill, shape, {}))};
    std::vector<Tensor> arguments = {
        randomTensor(DType::F32, {n, 7}, 1), randomTensor(DType::F32, {7}, 2),
        randomTensor(DType::F32, {n}, 3), randomTensor(DType::F32, {}, 4)};
    expectSameBits(graph, arguments, {{"N", n}});

    auto single = [&](auto build) {
      Graph other;
      ValueId y = other.addArgument({DType::F32, {kN, 7}});
      ValueId z = other.addArgument({DType::F32, {7}});
      ValueId w = other.addArgument({DType::F32, {kN}});
      ValueId f = other.addArgument({DType::F32, {}});
      Builder ob(other);
      other.results = {build(ob, y, z, w, f)};
      expectSameBits(other, arguments, {{"N", n}});
    };
    single([](Builder &o, ValueId y, ValueId, ValueId, ValueId) {
      return o.slice(y, {0, 1}, {kN, 6}, {2, 2});
    });
    single([](Builder &o, ValueId y, ValueId, ValueId, ValueId f) {
      return o.pad(y, f, {2, 3}, {1, 4}, {1, 1});
    });
    single([](Builder &o, ValueId y, ValueId, ValueId, ValueId f) {
      return o.pad(y, f, {1, 0}, {0, 1}, {2, 3});
    });
    single([](Builder &o, ValueId y, ValueId, ValueId w, ValueId) {
      return o.concat({y, o.reshape(w, {kN, 1}), o.unary(OpKind::Neg, y)}, 1);
    });
    single([](Builder &o, ValueId y, ValueId z, ValueId, ValueId) {
      return o.concat({o.reshape(z, {1, 7}), y, y}, 0);
    });
    single([](Builder &o, ValueId, ValueId, ValueId w, ValueId) { return o.concat({w, w}, 0); });
  }
}

TEST(MovementKernels, Indexing) {
  for (DType dtype : {DType::I32, DType::I64})
    for (int64_t n : {0, 1, 5, 37}) {
      auto single = [&](auto build) {
        Graph graph;
        ValueId table = graph.addArgument({DType::F32, {9, 4, 5}});
        ValueId indices = graph.addArgument({dtype, {kN}});
        ValueId rows = graph.addArgument({DType::F32, {kN, 6}});
        Builder b(graph);
        graph.results = {build(b, table, indices, rows)};
        expectSameBits(graph,
                       {randomTensor(DType::F32, {9, 4, 5}, 1),
                        randomIntegers(dtype, {n}, 2, -2, 12), randomTensor(DType::F32, {n, 6}, 3)},
                       {{"N", n}});
      };
      for (int64_t axis : {0, 1, 2})
        single([&](Builder &b, ValueId table, ValueId indices, ValueId) {
          return b.create(OpKind::Gather, {table, indices}, {{AttrKey::Axis, axis}});
        });
      single([&](Builder &b, ValueId, ValueId indices, ValueId rows) {
        return b.create(OpKind::Pick, {rows, indices});
      });
      single([&](Builder &b, ValueId, ValueId indices, ValueId) {
        return b.create(OpKind::OneHot, {indices}, {}, Type{DType::F32, {kN, 11}});
      });
      single([&](Builder &b, ValueId, ValueId indices, ValueId) {
        return b.create(OpKind::OneHot, {indices}, {}, Type{DType::Bool, {kN, 5}});
      });
      single(
          [&](Builder &b, ValueId, ValueId, ValueId) { return b.iota({DType::F32, {kN, 3}}, 0); });
      single(
          [&](Builder &b, ValueId, ValueId, ValueId) { return b.iota({DType::U8, {3, kN}}, 1); });
      // An empty axis reads nothing.
      single([&](Builder &b, ValueId, ValueId indices, ValueId rows) {
        ValueId none = b.slice(rows, {0, 0}, {kN, 0}, {1, 1});
        return b.create(OpKind::Pick, {none, indices});
      });
    }
}

TEST(MovementKernels, ScatterAdd) {
  for (int64_t n : {0, 1, 6, 50}) {
    for (int64_t axis : {0, 1, 2}) {
      Graph graph;
      Shape updates{9, 4, 5};
      std::vector<int64_t> extents{9, 4, 5};
      updates[static_cast<size_t>(axis)] = kN;
      extents[static_cast<size_t>(axis)] = n;
      ValueId table = graph.addArgument({DType::F32, {9, 4, 5}});
      ValueId indices = graph.addArgument({DType::I32, {kN}});
      ValueId update = graph.addArgument({DType::F32, updates});
      Builder b(graph);
      graph.results = {
          b.create(OpKind::ScatterAdd, {table, indices, update}, {{AttrKey::Axis, axis}})};
      expectSameBits(graph,
                     {randomTensor(DType::F32, {9, 4, 5}, 1, Content::Edges),
                      randomIntegers(DType::I32, {n}, 2, -2, 12),
                      randomTensor(DType::F32, extents, 3, Content::Edges)},
                     {{"N", n}});
    }
  }
}

TEST(MovementKernels, DenseConstants) {
  Graph graph;
  ValueId x = graph.addArgument({DType::F32, {kN, 3}});
  Builder b(graph);
  const float elements[] = {1.5f, -0.0f, 7};
  const uint8_t bits[] = {1, 0, 1};
  ValueId c =
      b.constant({DType::F32, {3}}, Literal::fromElements<float>(DType::F32, std::span(elements)));
  ValueId k =
      b.constant({DType::Bool, {3}}, Literal::fromElements<uint8_t>(DType::Bool, std::span(bits)));
  const Shape shape{kN, 3};
  graph.results = {b.select(b.broadcast(k, shape, {1}), b.mul(x, b.broadcast(c, shape, {1})), x)};
  expectSameBits(graph, {randomTensor(DType::F32, {6, 3}, 1)}, {{"N", 6}});
}

} // namespace
} // namespace apr::test
