// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Derivatives of the unary ops, written in terms of the result y where that saves an evaluation.
#include "passes/autodiff/grad_rules.h"

#include <numbers>

namespace apr {

/// y = -x: y' = -1.
void gradNeg(OpGradient &d) {
  d.give(0, [&] { return d.b.neg(d.g); });
}

/// y = |x|: y' = sign(x), which is 0 at 0.
void gradAbs(OpGradient &d) {
  d.give(0, [&] { return d.b.mul(d.g, d.b.unary(OpKind::Sign, d.x())); });
}

/// y = sqrt(x): y' = 1 / (2y), which is infinite at 0.
void gradSqrt(OpGradient &d) {
  d.give(0, [&] { return d.b.div(d.g, d.b.mul(d.splat(d.x(), 2), d.result())); });
}

/// y = x^(-1/2): y' = -1/2 x^(-3/2) = -1/2 y³.
void gradRsqrt(OpGradient &d) {
  d.give(0, [&] {
    ValueId y = d.result();
    ValueId cube = d.b.mul(y, d.b.mul(y, y));
    return d.b.mul(d.g, d.b.mul(d.splat(y, -0.5), cube));
  });
}

/// y = e^x: y' = y.
void gradExp(OpGradient &d) {
  d.give(0, [&] { return d.b.mul(d.g, d.result()); });
}

/// y = e^x - 1: y' = y + 1.
void gradExpm1(OpGradient &d) {
  d.give(0, [&] { return d.b.mul(d.g, d.b.add(d.result(), d.splat(d.x(), 1))); });
}

/// y = log x: y' = 1/x.
void gradLog(OpGradient &d) {
  d.give(0, [&] { return d.b.div(d.g, d.x()); });
}

/// y = log(1 + x): y' = 1/(1 + x).
void gradLog1p(OpGradient &d) {
  d.give(0, [&] { return d.b.div(d.g, d.b.add(d.x(), d.splat(d.x(), 1))); });
}

/// y = sin x: y' = cos x.
void gradSin(OpGradient &d) {
  d.give(0, [&] { return d.b.mul(d.g, d.b.unary(OpKind::Cos, d.x())); });
}

/// y = cos x: y' = -sin x.
void gradCos(OpGradient &d) {
  d.give(0, [&] { return d.b.neg(d.b.mul(d.g, d.b.unary(OpKind::Sin, d.x()))); });
}

/// y = tanh x: y' = 1 - y².
void gradTanh(OpGradient &d) {
  d.give(0, [&] {
    ValueId y = d.result();
    return d.b.mul(d.g, d.b.sub(d.splat(y, 1), d.b.mul(y, y)));
  });
}

/// y = 1/(1 + e^-x): y' = y (1 - y).
void gradSigmoid(OpGradient &d) {
  d.give(0, [&] {
    ValueId y = d.result();
    return d.b.mul(d.g, d.b.mul(y, d.b.sub(d.splat(y, 1), y)));
  });
}

/// y = erf x: y' = 2/√π e^(-x²).
void gradErf(OpGradient &d) {
  d.give(0, [&] {
    ValueId bell = d.b.unary(OpKind::Exp, d.b.neg(d.b.mul(d.x(), d.x())));
    ValueId slope = d.splat(d.x(), 2 * std::numbers::inv_sqrtpi);
    return d.b.mul(d.g, d.b.mul(slope, bell));
  });
}

/// Only between floats: the cut at other dtypes is cutsGradient's.
void gradConvert(OpGradient &d) {
  if (d.type(d.x()).dtype == DType::BF16 || d.type(d.result()).dtype == DType::BF16)
    return d.refuse("bf16 stores values, and no gradients");
  d.give(0, [&] { return d.b.convert(d.g, d.type(d.x()).dtype); });
}

} // namespace apr
