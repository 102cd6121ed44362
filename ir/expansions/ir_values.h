// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/builder.h"

// Values of a graph that read like numbers, so that the formulas of this folder append ops: each
// operator is one op, each number a constant of the other operand's shape.
namespace apr::expansions {

struct MaskValue {
  Builder *builder;
  ValueId id; ///< bool
};

struct F64Value {
  Builder *builder;
  ValueId id;

  F64Value constant(double number) const { return {builder, builder->splat(type(), number)}; }
  const Type &type() const { return builder->type(id); }
};

struct I64Value {
  Builder *builder;
  ValueId id;

  I64Value constant(int64_t number) const {
    return {builder, builder->splatInteger(type(), number)};
  }
  const Type &type() const { return builder->type(id); }
};

#define APR_IR_OPERATOR(Operand, Number, Result, symbol, Kind)                                     \
  inline Result operator symbol(Operand a, Operand b) {                                            \
    return {a.builder, a.builder->binary(OpKind::Kind, a.id, b.id)};                               \
  }                                                                                                \
  inline Result operator symbol(Operand a, Number b) { return a symbol a.constant(b); }            \
  inline Result operator symbol(Number a, Operand b) { return b.constant(a) symbol b; }

APR_IR_OPERATOR(F64Value, double, F64Value, +, Add)
APR_IR_OPERATOR(F64Value, double, F64Value, -, Sub)
APR_IR_OPERATOR(F64Value, double, F64Value, *, Mul)
APR_IR_OPERATOR(F64Value, double, F64Value, /, Div)
APR_IR_OPERATOR(F64Value, double, MaskValue, <, Lt)
APR_IR_OPERATOR(F64Value, double, MaskValue, <=, Le)
APR_IR_OPERATOR(F64Value, double, MaskValue, >, Gt)
APR_IR_OPERATOR(F64Value, double, MaskValue, ==, Eq)
APR_IR_OPERATOR(I64Value, int64_t, I64Value, +, Add)
APR_IR_OPERATOR(I64Value, int64_t, I64Value, -, Sub)
APR_IR_OPERATOR(I64Value, int64_t, I64Value, *, Mul)
APR_IR_OPERATOR(I64Value, int64_t, I64Value, &, And)
APR_IR_OPERATOR(I64Value, int64_t, I64Value, |, Or)
APR_IR_OPERATOR(I64Value, int64_t, I64Value, ^, Xor)
APR_IR_OPERATOR(I64Value, int64_t, MaskValue, ==, Eq)
APR_IR_OPERATOR(I64Value, int64_t, MaskValue, <, Lt)
APR_IR_OPERATOR(I64Value, int64_t, MaskValue, >, Gt)
#undef APR_IR_OPERATOR

inline MaskValue operator==(MaskValue a, MaskValue b) {
  return {a.builder, a.builder->binary(OpKind::Eq, a.id, b.id)};
}
inline MaskValue operator&(MaskValue a, MaskValue b) {
  return {a.builder, a.builder->binary(OpKind::And, a.id, b.id)};
}
inline MaskValue operator|(MaskValue a, MaskValue b) {
  return {a.builder, a.builder->binary(OpKind::Or, a.id, b.id)};
}
inline MaskValue operator!(MaskValue a) { return {a.builder, a.builder->unary(OpKind::Not, a.id)}; }

inline F64Value operator-(F64Value a) { return {a.builder, a.builder->neg(a.id)}; }
inline F64Value splat(F64Value like, double number) { return like.constant(number); }
inline I64Value splat(I64Value like, int64_t number) { return like.constant(number); }
template <class V> V select(MaskValue mask, V yes, V no) {
  return {mask.builder, mask.builder->select(mask.id, yes.id, no.id)};
}

inline I64Value bitsOf(F64Value x) { return {x.builder, x.builder->bitcast(x.id, DType::I64)}; }
inline F64Value fromBits(I64Value x) { return {x.builder, x.builder->bitcast(x.id, DType::F64)}; }
inline I64Value shiftLeft(I64Value x, int64_t count) {
  return {x.builder, x.builder->binary(OpKind::Shl, x.id, x.constant(count).id)};
}
/// Zeros come in.
inline I64Value shiftRight(I64Value x, int64_t count) {
  return {x.builder, x.builder->binary(OpKind::ShrLogical, x.id, x.constant(count).id)};
}
inline I64Value shiftRightArithmetic(I64Value x, int64_t count) {
  return {x.builder, x.builder->binary(OpKind::ShrArith, x.id, x.constant(count).id)};
}
inline F64Value squareRoot(F64Value x) { return {x.builder, x.builder->unary(OpKind::Sqrt, x.id)}; }
inline F64Value floorOf(F64Value x) { return {x.builder, x.builder->unary(OpKind::Floor, x.id)}; }

/// The table's entry at each index, clamped into the table.
template <size_t N> F64Value tableEntry(const double (&table)[N], I64Value index) {
  Builder &builder = *index.builder;
  Type type{DType::F64, {Dim(int64_t(N))}};
  auto literal = Literal::fromElements<double>(DType::F64, table);
  ValueId constant = builder.constant(type, std::move(literal));
  return {&builder,
          builder.create(OpKind::Gather, {constant, index.id}, {{AttrKey::Axis, int64_t(0)}})};
}

} // namespace apr::expansions
