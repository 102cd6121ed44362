// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "harness.h"

#include <gtest/gtest.h>

namespace apr::test {
namespace {

const Dim kM = Dim::variable("M"), kK = Dim::variable("K");

struct Transposes {
  bool a, b;
};
constexpr Transposes kTransposes[] = {{false, false}, {true, false}, {false, true}, {true, true}};

struct Sizes {
  int64_t m, k, n;
};

Shape matrix(Dim rows, Dim columns, bool isTransposed) {
  return isTransposed ? Shape{columns, rows} : Shape{rows, columns};
}
std::vector<int64_t> matrix(int64_t rows, int64_t columns, bool isTransposed) {
  return isTransposed ? std::vector<int64_t>{columns, rows} : std::vector<int64_t>{rows, columns};
}

ValueId product(Builder &b, ValueId x, ValueId y, Transposes t, const std::string &order) {
  Attributes attributes;
  if (t.a)
    attributes.set(AttrKey::TransposeA, int64_t(1));
  if (t.b)
    attributes.set(AttrKey::TransposeB, int64_t(1));
  if (!order.empty())
    attributes.set(AttrKey::Order, *parseOrder(order));
  return b.create(OpKind::MatMul, {x, y}, attributes);
}

void check(DType dtype, Transposes t, Sizes s, const std::string &order, bool isOpen,
           Content content = Content::Ordinary) {
  Graph graph;
  const Dim m = isOpen ? kM : Dim(s.m), k = isOpen && t.a ? kK : Dim(s.k);
  ValueId x = graph.addArgument({dtype, matrix(m, k, t.a)});
  ValueId y = graph.addArgument({dtype, matrix(k, s.n, t.b)});
  Builder b(graph);
  graph.results = {product(b, x, y, t, order)};
  SCOPED_TRACE(testing::Message() << "m " << s.m << " k " << s.k << " n " << s.n << " t " << t.a
                                  << t.b << " order '" << order << "'"
                                  << (isOpen ? " open" : " fixed"));
  expectSameBits(graph,
                 {randomTensor(dtype, matrix(s.m, s.k, t.a), 1, content),
                  randomTensor(dtype, matrix(s.k, s.n, t.b), 2, content)},
                 {{"M", s.m}, {"K", s.k}}, {Division::OneKernel});
}

TEST(MatMulKernels, Sizes) {
  for (Transposes t : kTransposes)
    for (Sizes s : {Sizes{1, 1, 1},
                    {3, 2, 5},
                    {17, 31, 33},
                    {14, 8, 32},
                    {29, 5, 70},
                    {2, 0, 3},
                    {0, 3, 4},
                    {13, 64, 10}})
      for (bool isOpen : {false, true})
        check(DType::F32, t, s, "", isOpen);
}

TEST(MatMulKernels, LongContractions) {
  for (Transposes t : kTransposes)
    for (Sizes s : {Sizes{5, 511, 19}, {5, 512, 19}, {15, 513, 19}, {3, 1100, 34}, {3, 2600, 5}})
      for (bool isOpen : {false, true})
        check(DType::F32, t, s, "", isOpen);
}

TEST(MatMulKernels, Orders) {
  for (const char *order : {"seq", "tree(seq(3))", "tree(lanes(4,12))", "tree(2,tree(seq(7)))",
                            "tree(3,tree(2,tree(lanes(8,8))))"})
    for (Transposes t : kTransposes)
      check(DType::F32, t, {15, 42, 20}, order, true);
}

TEST(MatMulKernels, TypesAndEdges) {
  for (DType dtype : {DType::F32, DType::F64, DType::I32, DType::I64, DType::U8})
    for (Transposes t : kTransposes) {
      check(dtype, t, {9, 23, 18}, "", false, Content::Edges);
      check(dtype, t, {9, 23, 18}, "", true);
    }
}

TEST(MatMulKernels, Batched) {
  for (Transposes t : kTransposes) {
    Graph graph;
    auto batched = [](Shape shape) {
      shape.insert(shape.begin(), {kM, Dim(2)});
      return shape;
    };
    ValueId x = graph.addArgument({DType::F32, batched(matrix(Dim(5), Dim(7), t.a))});
    ValueId y = graph.addArgument({DType::F32, batched(matrix(Dim(7), Dim(19), t.b))});
    Builder b(graph);
    graph.results = {product(b, x, y, t, "")};
    auto extents = [](std::vector<int64_t> shape) {
      shape.insert(shape.begin(), {3, 2});
      return shape;
    };
    expectSameBits(graph,
                   {randomTensor(DType::F32, extents(matrix(5, 7, t.a)), 1),
                    randomTensor(DType::F32, extents(matrix(7, 19, t.b)), 2)},
                   {{"M", 3}}, {Division::OneKernel});
  }
}

TEST(MatMulKernels, Epilogue) {
  Graph graph;
  ValueId x = graph.addArgument({DType::F32, {kM, 20}});
  ValueId w = graph.addArgument({DType::F32, {20, 37}});
  ValueId bias = graph.addArgument({DType::F32, {37}});
  Builder b(graph);
  ValueId h = b.add(b.matmul(x, w, false, false), b.broadcast(bias, {kM, 37}, {1}));
  graph.results = {b.binary(OpKind::Max, h, b.splat({DType::F32, {kM, 37}}, 0)),
                   b.unary(OpKind::Tanh, h)};
  for (int64_t m : {0, 1, 14, 45})
    expectSameBits(graph,
                   {randomTensor(DType::F32, {m, 20}, 1), randomTensor(DType::F32, {20, 37}, 2),
                    randomTensor(DType::F32, {37}, 3)},
                   {{"M", m}});
}

/// Momentum in the epilogue of a weight gradient: three results, state read at the written index.
TEST(MatMulKernels, UpdateInEpilogue) {
  Graph graph;
  const Type weights{DType::F32, {37, 21}};
  ValueId x = graph.addArgument({DType::F32, {kM, 37}});
  ValueId g = graph.addArgument({DType::F32, {kM, 21}});
  ValueId p = graph.addArgument(weights), v = graph.addArgument(weights);
  ValueId lr = graph.addArgument({DType::F64, {}});
  Builder b(graph);
  ValueId gradient = b.matmul(x, g, true, false);
  ValueId momentum = b.add(b.mul(v, b.splat(weights, 0.9)), gradient);
  ValueId rate = b.broadcast(b.convert(lr, DType::F32), weights.shape, {});
  graph.results = {b.sub(p, b.mul(momentum, rate)), momentum};
  for (int64_t m : {0, 1, 33, 600})
    expectSameBits(graph,
                   {randomTensor(DType::F32, {m, 37}, 1), randomTensor(DType::F32, {m, 21}, 2),
                    randomTensor(DType::F32, {37, 21}, 3), randomTensor(DType::F32, {37, 21}, 4),
                    Tensor::scalar<double>(DType::F64, 0.125)},
                   {{"M", m}});
}

} // namespace
} // namespace apr::test
