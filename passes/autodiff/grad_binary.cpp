// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Derivatives of the element-wise ops of two and three operands.
#include "passes/autodiff/grad_rules.h"

namespace apr {

void gradAdd(OpGradient &d) {
  d.give(0, [&] { return d.g; });
  d.give(1, [&] { return d.g; });
}

void gradSub(OpGradient &d) {
  d.give(0, [&] { return d.g; });
  d.give(1, [&] { return d.b.neg(d.g); });
}

void gradMul(OpGradient &d) {
  d.give(0, [&] { return d.b.mul(d.g, d.y()); });
  d.give(1, [&] { return d.b.mul(d.g, d.x()); });
}

/// q = x/y: dq/dx = 1/y, dq/dy = -x/y² = -q/y.
void gradDiv(OpGradient &d) {
  d.give(0, [&] { return d.b.div(d.g, d.y()); });
  d.give(1, [&] { return d.b.neg(d.b.mul(d.b.div(d.g, d.y()), d.result())); });
}

namespace {

/// The gradient goes to the operand that the result is; `favorsSecond` tells where that is y. A tie
/// goes to y: so max(x, 0), which is relu, has derivative 0 at 0, and clamped values have
/// derivative 0 at their bounds. With a NaN operand it goes to x, so a NaN activation keeps its
/// gradient.
void gradExtremum(OpGradient &d, OpKind favorsSecond) {
  auto route = [&](size_t operand) {
    ValueId isSecond = d.b.binary(favorsSecond, d.x(), d.y());
    ValueId zero = d.splat(d.x(), 0);
    return operand == 0 ? d.b.select(isSecond, zero, d.g) : d.b.select(isSecond, d.g, zero);
  };
  d.give(0, [&] { return route(0); });
  d.give(1, [&] { return route(1); });
}

} // namespace

void gradMax(OpGradient &d) { gradExtremum(d, OpKind::Le); }
void gradMin(OpGradient &d) { gradExtremum(d, OpKind::Ge); }

/// p = x^y: dp/dx = y x^(y-1), which is 0 for y = 0 whatever x; dp/dy = p log x, which is 0 for
/// x = 0 and y >= 0 (its limit for y > 0), and NaN for negative x.
void gradPow(OpGradient &d) {
  d.give(0, [&] {
    ValueId lower = d.b.sub(d.y(), d.splat(d.y(), 1));
    ValueId slope = d.b.mul(d.y(), d.b.binary(OpKind::Pow, d.x(), lower));
    ValueId zero = d.splat(d.x(), 0);
    ValueId isConstant = d.b.binary(OpKind::Eq, d.y(), zero);
    return d.b.mul(d.g, d.b.select(isConstant, zero, slope));
  });
  d.give(1, [&] {
    ValueId zero = d.splat(d.x(), 0);
    ValueId slope = d.b.mul(d.result(), d.b.unary(OpKind::Log, d.x()));
    ValueId isNotNegative = d.b.binary(OpKind::Ge, d.y(), zero);
    ValueId isZero = d.b.binary(OpKind::Eq, d.x(), zero);
    ValueId isFlat = d.b.binary(OpKind::And, isZero, isNotNegative);
    return d.b.mul(d.g, d.b.select(isFlat, zero, slope));
  });
}

/// a = the angle of (x, y), y the first operand: da/dy = x / (x² + y²), da/dx = -y / (x² + y²).
/// NaN at the origin, which has no angle.
void gradAtan2(OpGradient &d) {
  ValueId y = d.x(), x = d.y();
  auto share = [&](ValueId part) {
    ValueId ofY = d.b.mul(y, y);
    ValueId square = d.b.add(d.b.mul(x, x), ofY);
    return d.b.mul(d.g, d.b.div(part, square));
  };
  d.give(0, [&] { return share(x); });
  d.give(1, [&] { return share(d.b.neg(y)); });
}

void gradFma(OpGradient &d) {
  d.give(0, [&] { return d.b.mul(d.g, d.y()); });
  d.give(1, [&] { return d.b.mul(d.g, d.x()); });
  d.give(2, [&] { return d.g; });
}

/// The operand that is not chosen gets an exact 0, also where its own derivative is infinite.
void gradSelect(OpGradient &d) {
  d.give(1, [&] { return d.b.select(d.x(), d.g, d.splat(d.y(), 0)); });
  d.give(2, [&] { return d.b.select(d.x(), d.splat(d.y(), 0), d.g); });
}

} // namespace apr
