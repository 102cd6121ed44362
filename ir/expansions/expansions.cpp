// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/expansions/expansions.h"

#include "ir/expansions/activations.h"
#include "ir/expansions/angle.h"
#include "ir/expansions/arc.h"
#include "ir/expansions/erfinv.h"
#include "ir/expansions/formulas.h"
#include "ir/expansions/ir_values.h"
#include "ir/expansions/pow.h"

namespace apr {
namespace {

using expansions::F64Value;

/// The f64 function of one operand; empty where the op has none.
using UnaryFormula = F64Value (*)(F64Value);

UnaryFormula findUnaryFormula(OpKind kind) {
  switch (kind) {
  case OpKind::Rsqrt:
    return expansions::rsqrt;
  case OpKind::Exp:
    return expansions::exp;
  case OpKind::Expm1:
    return expansions::expm1;
  case OpKind::Log:
    return expansions::log;
  case OpKind::Log1p:
    return expansions::log1p;
  case OpKind::Sin:
    return expansions::sin;
  case OpKind::Cos:
    return expansions::cos;
  case OpKind::Tanh:
    return expansions::tanh;
  case OpKind::Sigmoid:
    return expansions::sigmoid;
  case OpKind::Erf:
    return expansions::erf;
  case OpKind::Exp2:
    return expansions::exp2;
  case OpKind::Log2:
    return expansions::log2;
  case OpKind::Tan:
    return expansions::tan;
  case OpKind::Asin:
    return expansions::asin;
  case OpKind::Acos:
    return expansions::acos;
  case OpKind::Atan:
    return expansions::atan;
  case OpKind::Sinh:
    return expansions::sinh;
  case OpKind::Cosh:
    return expansions::cosh;
  case OpKind::ErfInv:
    return expansions::erfinv;
  case OpKind::Softplus:
    return expansions::softplus;
  case OpKind::Silu:
    return expansions::silu;
  case OpKind::Gelu:
    return expansions::gelu;
  case OpKind::GeluTanh:
    return expansions::geluTanh;
  default:
    return nullptr;
  }
}

/// The f64 function of two operands; empty where the op has none.
using BinaryFormula = F64Value (*)(F64Value, F64Value);

BinaryFormula findBinaryFormula(OpKind kind) {
  switch (kind) {
  case OpKind::Pow:
    return expansions::pow;
  case OpKind::Atan2:
    return expansions::atan2;
  default:
    return nullptr;
  }
}

/// f32 goes through f64; the last conversion rounds the f64 result.
ValueId expandBinary(BinaryFormula formula, Builder &builder, ValueId x, ValueId y) {
  DType dtype = builder.type(x).dtype;
  auto widen = [&](ValueId v) {
    return F64Value{&builder, dtype == DType::F64 ? v : builder.convert(v, DType::F64)};
  };
  F64Value wideX = widen(x);
  ValueId value = formula(wideX, widen(y)).id;
  return dtype == DType::F64 ? value : builder.convert(value, dtype);
}

/// The draws of one random op: words of the block that its stream and element have.
class Draws {
public:
  Draws(Builder &builder, const Op &op, Shape shape)
      : builder_(builder), stream_(op.attributes.string(AttrKey::Stream)),
        shape_(std::move(shape)) {}

  /// 24 bits from `word`, times 2^-24.
  ValueId uniformF32(int64_t word) { return scaled(leadingBits(word, 8, DType::F32), 0x1p-24); }

  /// 53 bits, from `word` and the next, times 2^-53.
  ValueId uniformF64(int64_t word) {
    ValueId high = scaled(leadingBits(word, 5, DType::F64), 0x1p26);
    return scaled(builder_.add(high, leadingBits(word + 1, 6, DType::F64)), 0x1p-53);
  }

private:
  ValueId leadingBits(int64_t word, int64_t dropped, DType dtype) {
    Type type{DType::I32, shape_};
    const auto &key = builder_.graph().arguments(); // seed, step, row offset
    ValueId bits = builder_.create(OpKind::RandomBits, {key[0], key[1], key[2]},
                                   {{AttrKey::Stream, stream_}, {AttrKey::Word, word}}, type);
    ValueId count = builder_.splatInteger(type, dropped);
    return builder_.convert(builder_.binary(OpKind::ShrLogical, bits, count), dtype);
  }

  ValueId scaled(ValueId x, double factor) {
    return builder_.mul(x, builder_.splat(builder_.type(x), factor));
  }

  Builder &builder_;
  std::string stream_;
  Shape shape_;
};

/// Box and Muller: sqrt(-2 log u1) * cos(2 pi u2), u1 = 1 - uniform in (0, 1].
ValueId expandNormalF32(Builder &builder, Draws &draws) {
  ValueId drawn = draws.uniformF32(0);
  Type type = builder.type(drawn);
  auto constant = [&](double number) { return builder.splat(type, number); };
  ValueId logarithm = builder.unary(OpKind::Log, builder.sub(constant(1.0), drawn));
  ValueId radius = builder.unary(OpKind::Sqrt, builder.mul(logarithm, constant(-2.0)));
  ValueId angle = builder.mul(draws.uniformF32(1), constant(6.283185307179586));
  return builder.mul(radius, builder.unary(OpKind::Cos, angle));
}

ValueId expandNormalF64(Builder &builder, Draws &draws) {
  F64Value first{&builder, draws.uniformF64(0)};
  F64Value radius = squareRoot(expansions::log(1.0 - first) * -2.0);
  // Four quarter turns are exact, and so is what is left of the nearest one.
  F64Value turns = F64Value{&builder, draws.uniformF64(2)} * 4.0;
  F64Value quarters = expansions::roundToInteger(turns);
  F64Value fraction = (turns - quarters) * expansions::kHalfPi;
  return (radius * expansions::sineOf<F64Value>({quarters, {fraction, fraction.constant(0.0)}}, 1))
      .id;
}

ValueId expandRandom(Builder &builder, const Op &op, const Type &type) {
  Draws draws(builder, op, type.shape);
  if (op.kind == OpKind::Uniform)
    return type.dtype == DType::F32 ? draws.uniformF32(0) : draws.uniformF64(0);
  return type.dtype == DType::F32 ? expandNormalF32(builder, draws)
                                  : expandNormalF64(builder, draws);
}

} // namespace

bool hasExpansion(const Graph &graph, const Op &op) {
  switch (op.kind) {
  case OpKind::Pow:
  case OpKind::Atan2:
  case OpKind::Uniform:
  case OpKind::Normal:
    return true;
  default:
    return findUnaryFormula(op.kind) && graph.type(op.operands.front()).dtype == DType::F64;
  }
}

Graph expansionOf(const Graph &graph, const Op &op) {
  Graph expansion;
  for (ValueId operand : op.operands)
    expansion.addArgument(graph.type(operand));
  Builder builder(expansion);
  builder.at(op.location);
  const auto &arguments = expansion.arguments();
  ValueId result;
  if (BinaryFormula formula = findBinaryFormula(op.kind))
    result = expandBinary(formula, builder, arguments[0], arguments[1]);
  else if (op.kind == OpKind::Uniform || op.kind == OpKind::Normal)
    result = expandRandom(builder, op, graph.type(op.result()));
  else if (UnaryFormula formula = findUnaryFormula(op.kind))
    result = formula({&builder, arguments[0]}).id;
  else
    throw InternalError("expansionOf: the op has no expansion");
  expansion.results = {result};
  return expansion;
}

} // namespace apr
