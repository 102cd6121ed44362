// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "harness.h"

#include <gtest/gtest.h>

namespace apr::test {
namespace {

const std::vector<int64_t> kSizes = {0, 1, 2, 3, 7, 16, 17, 31, 33, 64, 65, 67, 1000};

/// One graph with many ops over x, y of one type.
TEST(ElementwiseKernels, FloatArithmetic) {
  for (DType dtype : {DType::F32, DType::F64}) {
    Graph graph;
    const Type type{dtype, {Dim::variable("N")}};
    ValueId x = graph.addArgument(type), y = graph.addArgument(type), z = graph.addArgument(type);
    Builder b(graph);
    for (OpKind kind : {OpKind::Neg, OpKind::Abs, OpKind::Sign, OpKind::Floor, OpKind::Ceil,
                        OpKind::Round, OpKind::Sqrt})
      graph.results.push_back(b.unary(kind, x));
    for (OpKind kind :
         {OpKind::Add, OpKind::Sub, OpKind::Mul, OpKind::Div, OpKind::Min, OpKind::Max, OpKind::Eq,
          OpKind::Ne, OpKind::Lt, OpKind::Le, OpKind::Gt, OpKind::Ge})
      graph.results.push_back(b.binary(kind, x, y));
    for (double constant : {0.0, -0.0, 1.5}) {
      ValueId c = b.splat(type, constant);
      graph.results.push_back(b.binary(OpKind::Max, x, c));
      graph.results.push_back(b.binary(OpKind::Min, c, x));
    }
    graph.results.push_back(b.fma(x, y, z));
    graph.results.push_back(b.select(b.binary(OpKind::Lt, x, y), z, x));
    for (DType to : kAllDTypes)
      graph.results.push_back(b.convert(x, to));
    graph.results.push_back(b.bitcast(x, dtype == DType::F32 ? DType::I32 : DType::I64));
    for (int64_t size : kSizes)
      expectSameBits(graph,
                     {randomTensor(dtype, {size}, 1, Content::Edges),
                      randomTensor(dtype, {size}, 2, Content::Edges),
                      randomTensor(dtype, {size}, 3, Content::Edges)},
                     {{"N", size}}, {Division::OneKernel});
  }
}

TEST(ElementwiseKernels, IntegerArithmetic) {
  for (DType dtype : {DType::I32, DType::I64, DType::U8}) {
    Graph graph;
    const Type type{dtype, {Dim::variable("N")}};
    ValueId x = graph.addArgument(type), y = graph.addArgument(type);
    Builder b(graph);
    for (OpKind kind : {OpKind::Neg, OpKind::Abs, OpKind::Sign, OpKind::Not})
      graph.results.push_back(b.unary(kind, x));
    for (OpKind kind : {OpKind::Add, OpKind::Sub, OpKind::Mul, OpKind::Div, OpKind::Rem,
                        OpKind::Min, OpKind::Max, OpKind::And, OpKind::Or, OpKind::Xor, OpKind::Shl,
                        OpKind::ShrArith, OpKind::ShrLogical, OpKind::Eq, OpKind::Lt, OpKind::Ge})
      graph.results.push_back(b.binary(kind, x, y));
    for (DType to : kAllDTypes)
      graph.results.push_back(b.convert(x, to));
    for (int64_t size : {0, 5, 67, 300}) {
      Tensor small = dtype == DType::U8 ? randomTensor(dtype, {size}, 2)
                                        : randomIntegers(dtype, {size}, 2, -3, 3);
      expectSameBits(graph, {randomTensor(dtype, {size}, 1, Content::Edges), small}, {{"N", size}},
                     {Division::OneKernel});
    }
  }
}

TEST(ElementwiseKernels, Functions) {
  Graph graph;
  const Type type{DType::F32, {Dim::variable("N")}};
  ValueId x = graph.addArgument(type);
  Builder b(graph);
  for (OpKind kind :
       {OpKind::Rsqrt,   OpKind::Exp,  OpKind::Exp2,     OpKind::Expm1, OpKind::Log,
        OpKind::Log2,    OpKind::Log1p, OpKind::Sin,     OpKind::Cos,   OpKind::Tan,
        OpKind::Asin,    OpKind::Acos, OpKind::Atan,     OpKind::Sinh,  OpKind::Cosh,
        OpKind::Tanh,    OpKind::Erf,  OpKind::ErfInv,   OpKind::Gelu,  OpKind::GeluTanh,
        OpKind::Sigmoid, OpKind::Silu, OpKind::Softplus})
    graph.results.push_back(b.unary(kind, x));
  for (int64_t size : {5, 300})
    expectSameBits(graph, {randomTensor(DType::F32, {size}, 1, Content::Edges)}, {{"N", size}},
                   {Division::OneKernel});
}

TEST(ElementwiseKernels, BoolAndSelect) {
  Graph graph;
  const Type type{DType::Bool, {Dim::variable("N")}};
  ValueId x = graph.addArgument(type), y = graph.addArgument(type);
  Builder b(graph);
  ValueId both = b.binary(OpKind::And, x, y);
  graph.results = {both,
                   b.unary(OpKind::Not, x),
                   b.binary(OpKind::Xor, x, y),
                   b.binary(OpKind::Lt, x, y),
                   b.convert(both, DType::F32),
                   b.convert(x, DType::I64)};
  for (int64_t size : {0, 3, 33, 70})
    expectSameBits(graph,
                   {randomTensor(DType::Bool, {size}, 1), randomTensor(DType::Bool, {size}, 2)},
                   {{"N", size}});
}

TEST(ElementwiseKernels, Random) {
  Graph graph;
  const Type scalar{DType::I64, {}};
  ValueId seed = graph.addArgument(scalar), step = graph.addArgument(scalar),
          offset = graph.addArgument(scalar);
  Builder b(graph);
  Attributes stream{{AttrKey::Stream, std::string("fc1.dropout")}};
  Attributes word = stream;
  word.set(AttrKey::Word, int64_t(3));
  const Shape shape{Dim::variable("N"), 7};
  graph.results = {
      b.create(OpKind::RandomBits, {seed, step, offset}, word, Type{DType::I32, shape}),
      b.create(OpKind::Uniform, {seed, step, offset}, stream, Type{DType::F32, shape}),
      b.create(OpKind::Uniform, {seed, step, offset}, stream, Type{DType::F64, shape}),
      b.create(OpKind::Uniform, {seed, step, offset}, stream, Type{DType::F64, {}})};
  graph.results.pop_back();
  expectSameBits(graph,
                 {Tensor::scalar<int64_t>(DType::I64, 0x123456789abcdef0),
                  Tensor::scalar<int64_t>(DType::I64, 77), Tensor::scalar<int64_t>(DType::I64, 5)},
                 {{"N", 9}});
}

} // namespace
} // namespace apr::test
