// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/infer.h"

#include <gtest/gtest.h>

namespace apr {
namespace {

Type type(DType dtype, std::initializer_list<std::string_view> dims = {}) {
  Type result{dtype, {}};
  for (std::string_view dim : dims)
    result.shape.push_back(parseDim(dim).value());
  return result;
}

const Type kF = type(DType::F32), kFB = type(DType::F32, {"B", "3"});

void expectType(OpKind kind, std::vector<Type> operands, Attributes attributes, Type expected,
                std::vector<Type> given = {}) {
  auto types = inferTypes(kind, operands, attributes, given);
  ASSERT_TRUE(types) << types.error();
  ASSERT_EQ(types->size(), 1u);
  EXPECT_EQ(str(types->front()), str(expected));
}

void expectError(OpKind kind, std::vector<Type> operands, Attributes attributes,
                 std::string_view part, std::vector<Type> given = {}) {
  auto types = inferTypes(kind, operands, attributes, given);
  ASSERT_FALSE(types) << opInfo(kind).mnemonic;
  EXPECT_NE(types.error().find(part), std::string::npos) << types.error();
}

using Ints = std::vector<int64_t>;
using Dims = std::vector<Dim>;
Attributes axes(Ints list) { return {{AttrKey::Axes, std::move(list)}}; }

TEST(Infer, Elementwise) {
  expectType(OpKind::Add, {kFB, kFB}, {}, kFB);
  expectType(OpKind::Lt, {kFB, kFB}, {}, type(DType::Bool, {"B", "3"}));
  expectType(OpKind::Select,
             {type(DType::Bool, {"B"}), type(DType::I32, {"B"}), type(DType::I32, {"B"})}, {},
             type(DType::I32, {"B"}));
  expectError(OpKind::Add, {kFB, kF}, {}, "differ");
  expectError(OpKind::Add, {kF, type(DType::F64)}, {}, "differ");
  expectError(OpKind::Add, {kF}, {}, "found 1 operands, expected 2");
  expectError(OpKind::Exp, {type(DType::I32)}, {}, "f32 or f64");
  expectError(OpKind::Rem, {kF, kF}, {}, "integer");
  expectError(OpKind::And, {kF, kF}, {}, "bool or an integer");
  expectError(OpKind::Add, {type(DType::Bool), type(DType::Bool)}, {}, "float or integer");
  expectError(OpKind::Select, {kF, kF, kF}, {}, "bool");
}

TEST(Infer, ConvertAndBitcast) {
  expectType(OpKind::Convert, {kFB}, {}, type(DType::U8, {"B", "3"}),
             {type(DType::U8, {"B", "3"})});
  expectType(OpKind::Bitcast, {kF}, {}, type(DType::I32), {type(DType::I32)});
  expectError(OpKind::Convert, {kFB}, {}, "another shape", {kF});
  expectError(OpKind::Convert, {kFB}, {}, "given");
  expectError(OpKind::Bitcast, {kF}, {}, "size", {type(DType::I64)});
  expectError(OpKind::Bitcast, {type(DType::U8)}, {}, "bool", {type(DType::Bool)});
  expectError(OpKind::Bitcast, {type(DType::Bool)}, {}, "bool", {type(DType::U8)});
  expectType(OpKind::Bitcast, {type(DType::U8)}, {}, type(DType::U8), {type(DType::U8)});
}

TEST(Infer, Reduce) {
  expectType(OpKind::Sum, {kFB}, axes({1}), type(DType::F32, {"B"}));
  expectType(OpKind::Sum, {kFB}, axes({}), kFB);
  expectType(OpKind::ArgMax, {kFB}, axes({0, 1}), type(DType::I32));
  expectError(OpKind::Sum, {kFB}, axes({2}), "outside");
  expectError(OpKind::Sum, {kFB}, axes({1, 0}), "ascending");
  expectError(OpKind::Sum, {kFB}, axes({0, 0}), "ascending");
  expectError(OpKind::Sum, {kFB}, {}, "missing");
  expectType(OpKind::ReduceMax, {type(DType::Bool, {"B"})}, axes({0}), type(DType::Bool));
  expectError(OpKind::Sum, {type(DType::Bool, {"B"})}, axes({0}), "float or integer");
  Attributes order = axes({0});
  order.set(AttrKey::Order, Order::chunks(4));
  expectError(OpKind::Sum, {kFB}, order, "several results");
  expectError(OpKind::ReduceMax, {kFB}, order, "not one of this op");
}

TEST(Infer, MatMul) {
  Type a = type(DType::F32, {"B", "K"}), b = type(DType::F32, {"K", "5"});
  expectType(OpKind::MatMul, {a, b}, {}, type(DType::F32, {"B", "5"}));
  expectType(OpKind::MatMul, {a, a}, {{AttrKey::TransposeB, int64_t(1)}},
             type(DType::F32, {"B", "B"}));
  expectType(OpKind::MatMul, {a, a}, {{AttrKey::TransposeA, int64_t(1)}},
             type(DType::F32, {"K", "K"}));
  expectType(OpKind::MatMul, {type(DType::F32, {"H", "B", "K"}), type(DType::F32, {"H", "K", "2"})},
             {}, type(DType::F32, {"H", "B", "2"}));
  expectError(OpKind::MatMul, {a, a}, {}, "contracted dims differ");
  expectError(OpKind::MatMul, {a, type(DType::F64, {"K", "5"})}, {}, "one float or integer");
  expectError(OpKind::MatMul, {kF, kF}, {}, "matrices");
  expectError(OpKind::MatMul,
              {type(DType::F32, {"H", "B", "K"}), type(DType::F32, {"G", "K", "2"})}, {}, "batch");
}

TEST(Infer, Movement) {
  expectType(OpKind::Reshape, {kFB}, {}, type(DType::F32, {"3*B"}), {type(DType::F32, {"3*B"})});
  expectError(OpKind::Reshape, {kFB}, {}, "elements", {type(DType::F32, {"B"})});
  expectType(OpKind::Transpose, {kFB}, {{AttrKey::Perm, Ints{1, 0}}}, type(DType::F32, {"3", "B"}));
  expectError(OpKind::Transpose, {kFB}, {{AttrKey::Perm, Ints{1, 1}}}, "permutation");
  expectError(OpKind::Transpose, {kFB}, {{AttrKey::Perm, Ints{0}}}, "perm names 1 axes");
  expectType(OpKind::Broadcast, {type(DType::F32, {"3"})}, axes({1}), kFB, {kFB});
  expectError(OpKind::Broadcast, {type(DType::F32, {"1"})}, axes({1}), "fit", {kFB});
  expectError(OpKind::Broadcast, {type(DType::F64, {"3"})}, axes({1}), "another dtype", {kFB});
  expectError(OpKind::Broadcast, {kF}, axes({1}), "axes names", {kFB});
  Attributes slice{{AttrKey::Start, Dims{Dim(1), Dim(0)}},
                   {AttrKey::Limit, Dims{parseDim("B").value(), Dim(3)}},
                   {AttrKey::Stride, Ints{1, 2}}};
  expectType(OpKind::Slice, {kFB}, slice, type(DType::F32, {"B - 1", "2"}));
  slice.set(AttrKey::Limit, Dims{parseDim("B").value(), Dim(4)});
  expectError(OpKind::Slice, {kFB}, slice, "fit");
  slice.set(AttrKey::Stride, Ints{0, 1});
  expectError(OpKind::Slice, {kFB}, slice, "fit");
  Attributes pad{{AttrKey::Low, Dims{Dim(1), Dim(0)}},
                 {AttrKey::High, Dims{Dim(2), Dim(-1)}},
                 {AttrKey::Stride, Ints{1, 2}}};
  expectType(OpKind::Pad, {kFB, kF}, pad, type(DType::F32, {"B + 3", "5"}));
  pad.set(AttrKey::High, Dims{Dim(2), Dim(-2)});
  expectError(OpKind::Pad, {kFB, kF}, pad, "fit");
  expectType(OpKind::Concat, {kFB, kFB}, {{AttrKey::Axis, int64_t(0)}},
             type(DType::F32, {"2*B", "3"}));
  expectError(OpKind::Concat, {kFB, kFB}, {{AttrKey::Axis, int64_t(2)}}, "outside");
  expectError(OpKind::Concat, {}, {{AttrKey::Axis, int64_t(0)}}, "no operands");
  expectError(OpKind::Concat, {kFB, type(DType::F32, {"B", "2"})}, {{AttrKey::Axis, int64_t(0)}},
              "differ");
}

TEST(Infer, Indexing) {
  Type indices = type(DType::I32, {"N"});
  Attributes axis{{AttrKey::Axis, int64_t(0)}};
  expectType(OpKind::Gather, {kFB, indices}, axis, type(DType::F32, {"N", "3"}));
  expectType(OpKind::Gather, {kFB, type(DType::I64)}, axis, type(DType::F32, {"3"}));
  expectError(OpKind::Gather, {kFB, kF}, axis, "i32 or i64");
  expectError(OpKind::Gather, {kFB, indices}, {{AttrKey::Axis, int64_t(2)}}, "outside");
  expectError(OpKind::Gather, {kFB, indices}, {{AttrKey::Axis, int64_t(-1)}}, "outside");
  expectType(OpKind::ScatterAdd, {kFB, indices, type(DType::F32, {"N", "3"})}, axis, kFB);
  expectError(OpKind::ScatterAdd, {kFB, indices, kFB}, axis, "updates");
  expectType(OpKind::Pick, {kFB, type(DType::I32, {"B"})}, {}, type(DType::F32, {"B"}));
  expectError(OpKind::Pick, {kFB, indices}, {}, "without its last axis");
  expectType(OpKind::OneHot, {indices}, {}, type(DType::Bool, {"N", "4"}),
             {type(DType::Bool, {"N", "4"})});
  expectError(OpKind::OneHot, {indices}, {}, "one more axis", {type(DType::F32, {"N"})});
}

TEST(Infer, Sources) {
  Attributes value{{AttrKey::Value, Literal::splat(DType::F32, 1.0)}};
  expectType(OpKind::Constant, {}, value, kFB, {kFB});
  expectError(OpKind::Constant, {}, value, "value is f32", {type(DType::F64)});
  expectError(OpKind::Iota, {}, {{AttrKey::Axis, int64_t(0)}}, "iota", {kF});
  Attributes stream{{AttrKey::Stream, std::string("s")}};
  Type seed = type(DType::I64);
  expectType(OpKind::Uniform, {seed, seed, seed}, stream, kFB, {kFB});
  expectError(OpKind::Uniform, {seed, seed, seed}, stream, "f32 or f64", {type(DType::I32)});
  expectError(OpKind::RandomBits, {seed, seed, kF}, stream, "i64 scalars", {type(DType::I32)});
  stream.set(AttrKey::Word, int64_t(4));
  expectError(OpKind::RandomBits, {seed, seed, seed}, stream, "0 to 3", {type(DType::I32)});
}

TEST(Infer, ConvolutionsOfOtherGroupsOrChannelsAreRefused) {
  const Attributes attributes{{AttrKey::Stride, Ints{1}}, {AttrKey::Dilation, Ints{1}}};
  const Type x = type(DType::F32, {"B", "8", "2", "3"});
  expectType(OpKind::Conv, {x, type(DType::F32, {"3", "2", "3", "5"})}, attributes,
             type(DType::F32, {"B", "6", "2", "5"}));
  expectError(OpKind::Conv, {x, type(DType::F32, {"3", "1", "3", "5"})}, attributes, "differ");
  expectError(OpKind::Conv, {x, type(DType::F32, {"3", "2", "4", "5"})}, attributes, "differ");
}

TEST(Infer, SizesThatDoNotFitAreRefused) {
  Type huge = type(DType::F32, {"9223372036854775807"});
  expectError(OpKind::Concat, {huge, huge}, {{AttrKey::Axis, int64_t(0)}}, "64 bits");
}

TEST(Infer, EveryOpHasItsFacets) {
  for (OpKind kind : allOps()) {
    const OpInfo &info = opInfo(kind);
    EXPECT_EQ(findOp(info.mnemonic), kind);
    EXPECT_FALSE(info.summary.empty()) << info.mnemonic;
    for (const AttributeUse &use : info.attributes)
      EXPECT_EQ(findAttribute(attributeName(use.key)), use.key);
    // Whatever the operands are, the answer is types or an error.
    for (size_t count = 0; count < 4; ++count) {
      std::vector<Type> operands(count, kFB);
      (void)inferTypes(kind, operands, {}, {});
      (void)inferTypes(kind, operands, {}, std::vector<Type>{kFB});
    }
  }
}

} // namespace
} // namespace apr
