// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Identities of element-wise arithmetic. What is missing is missing on purpose: x + 0, x - x, x · 0
// and -(x - y) all have operands for which the shorter form has other bits.
#include "passes/simplify/simplifier.h"

#include <cmath>

namespace apr {
namespace {

/// The neutral element of addition: -0.0 for floats, since -0 + +0 is +0.
bool isNeutralOfAdd(const Simplifier &s, ValueId v) {
  return isFloat(s.type(v).dtype) ? s.isNumber(v, -0.0) : s.isNumber(v, 0);
}

bool canHoldMinusOne(const Type &type) { return type.dtype != DType::U8; }

bool isMinusOne(const Simplifier &s, ValueId v) {
  return canHoldMinusOne(s.type(v)) && s.isNumber(v, -1);
}

/// x + -0 = x;  x + -y = x - y;  -x + y = y - x.
std::optional<ValueId> simplifyAdd(Simplifier &s, const Candidate &c) {
  if (isNeutralOfAdd(s, c.y()))
    return c.x();
  if (isNeutralOfAdd(s, c.x()))
    return c.y();
  if (const Op *neg = s.definedBy(c.y(), OpKind::Neg))
    return s.make(OpKind::Sub, {c.x(), neg->operands[0]}, c.type);
  if (const Op *neg = s.definedBy(c.x(), OpKind::Neg))
    return s.make(OpKind::Sub, {c.y(), neg->operands[0]}, c.type);
  return std::nullopt;
}

/// x - 0 = x;  -0 - x = -x;  x - -y = x + y.
std::optional<ValueId> simplifySub(Simplifier &s, const Candidate &c) {
  if (s.isNumber(c.y(), 0))
    return c.x();
  if (isNeutralOfAdd(s, c.x()))
    return s.make(OpKind::Neg, {c.y()}, c.type);
  if (const Op *neg = s.definedBy(c.y(), OpKind::Neg))
    return s.make(OpKind::Add, {c.x(), neg->operands[0]}, c.type);
  return std::nullopt;
}

/// x · 1 = x;  x · -1 = -x;  -x · -y = x · y.
std::optional<ValueId> simplifyMul(Simplifier &s, const Candidate &c) {
  if (s.isNumber(c.y(), 1))
    return c.x();
  if (s.isNumber(c.x(), 1))
    return c.y();
  if (isMinusOne(s, c.y()))
    return s.make(OpKind::Neg, {c.x()}, c.type);
  if (isMinusOne(s, c.x()))
    return s.make(OpKind::Neg, {c.y()}, c.type);
  const Op *negX = s.definedBy(c.x(), OpKind::Neg), *negY = s.definedBy(c.y(), OpKind::Neg);
  if (negX && negY)
    return s.make(OpKind::Mul, {negX->operands[0], negY->operands[0]}, c.type);
  return std::nullopt;
}

/// 1/c where both c and 1/c are normal powers of two.
std::optional<double> findExactReciprocal(const Simplifier &s, ValueId v) {
  const Literal *element = s.splatOf(v);
  if (!element || !isFloat(element->dtype))
    return std::nullopt;
  int exponent = 0;
  double mantissa = std::frexp(element->asDouble(0), &exponent);
  int limit = element->dtype == DType::F32 ? 125 : 1021;
  if (std::fabs(mantissa) != 0.5 || std::abs(exponent) > limit)
    return std::nullopt;
  return 1 / element->asDouble(0);
}

/// x / 1 = x;  x / -1 = -x;  x / c = x · (1/c) for powers of two: both round the same real number.
std::optional<ValueId> simplifyDiv(Simplifier &s, const Candidate &c) {
  if (s.isNumber(c.y(), 1))
    return c.x();
  if (isMinusOne(s, c.y()))
    return s.make(OpKind::Neg, {c.x()}, c.type);
  if (auto reciprocal = findExactReciprocal(s, c.y()))
    return s.make(OpKind::Mul, {c.x(), s.splat(c.type, *reciprocal)}, c.type);
  return std::nullopt;
}

/// fma(x, y, -0) = x · y;  fma(x, 1, z) = x + z: the one rounding is the same.
std::optional<ValueId> simplifyFma(Simplifier &s, const Candidate &c) {
  if (s.isNumber(c.z(), -0.0))
    return s.make(OpKind::Mul, {c.x(), c.y()}, c.type);
  if (s.isNumber(c.y(), 1))
    return s.make(OpKind::Add, {c.x(), c.z()}, c.type);
  if (s.isNumber(c.x(), 1))
    return s.make(OpKind::Add, {c.y(), c.z()}, c.type);
  return std::nullopt;
}

/// -(-x) = x.
std::optional<ValueId> simplifyNeg(Simplifier &s, const Candidate &c) {
  if (const Op *neg = s.definedBy(c.x(), OpKind::Neg))
    return neg->operands[0];
  return std::nullopt;
}

/// | |x| | = |x|;  |-x| = |x|, where there are numbers below zero.
std::optional<ValueId> simplifyAbs(Simplifier &s, const Candidate &c) {
  if (s.definedBy(c.x(), OpKind::Abs))
    return c.x();
  const Op *neg = s.definedBy(c.x(), OpKind::Neg);
  if (neg && c.type.dtype != DType::U8)
    return s.make(OpKind::Abs, {neg->operands[0]}, c.type);
  return std::nullopt;
}

} // namespace

std::optional<ValueId> simplifyArithmetic(Simplifier &s, const Candidate &c) {
  switch (c.kind) {
  case OpKind::Add:
    return simplifyAdd(s, c);
  case OpKind::Sub:
    return simplifySub(s, c);
  case OpKind::Mul:
    return simplifyMul(s, c);
  case OpKind::Div:
    return simplifyDiv(s, c);
  case OpKind::Fma:
    return simplifyFma(s, c);
  case OpKind::Neg:
    return simplifyNeg(s, c);
  case OpKind::Abs:
    return simplifyAbs(s, c);
  default:
    return std::nullopt;
  }
}

} // namespace apr
