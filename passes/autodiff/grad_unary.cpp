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
    ValueId square = d.b.mul(y, y);
    return d.b.mul(d.g, d.b.sub(d.splat(y, 1), square));
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

/// y = 2^x: y' = ln2 y.
void gradExp2(OpGradient &d) {
  d.give(0, [&] { return d.b.mul(d.g, d.b.mul(d.splat(d.x(), std::numbers::ln2), d.result())); });
}

/// y = log2 x: y' = 1/(x ln2).
void gradLog2(OpGradient &d) {
  d.give(0, [&] { return d.b.div(d.g, d.b.mul(d.x(), d.splat(d.x(), std::numbers::ln2))); });
}

/// y = tan x: y' = 1 + y².
void gradTan(OpGradient &d) {
  d.give(0, [&] {
    ValueId y = d.result();
    ValueId square = d.b.mul(y, y);
    return d.b.mul(d.g, d.b.add(d.splat(y, 1), square));
  });
}

namespace {

/// 1 - x² as (1 - x)(1 + x), which is exact near 1 and -1.
ValueId cosineSquare(OpGradient &d) {
  ValueId one = d.splat(d.x(), 1);
  ValueId sum = d.b.add(one, d.x());
  return d.b.mul(d.b.sub(one, d.x()), sum);
}

} // namespace

/// y = asin x: y' = (1 - x²)^(-1/2), which is infinite at 1 and -1.
void gradAsin(OpGradient &d) {
  d.give(0, [&] { return d.b.mul(d.g, d.b.unary(OpKind::Rsqrt, cosineSquare(d))); });
}

/// y = acos x: minus that of asin.
void gradAcos(OpGradient &d) {
  d.give(0, [&] { return d.b.neg(d.b.mul(d.g, d.b.unary(OpKind::Rsqrt, cosineSquare(d)))); });
}

/// y = atan x: y' = 1/(1 + x²).
void gradAtan(OpGradient &d) {
  d.give(0, [&] {
    ValueId square = d.b.mul(d.x(), d.x());
    return d.b.div(d.g, d.b.add(d.splat(d.x(), 1), square));
  });
}

/// y = sinh x: y' = cosh x.
void gradSinh(OpGradient &d) {
  d.give(0, [&] { return d.b.mul(d.g, d.b.unary(OpKind::Cosh, d.x())); });
}

/// y = cosh x: y' = sinh x.
void gradCosh(OpGradient &d) {
  d.give(0, [&] { return d.b.mul(d.g, d.b.unary(OpKind::Sinh, d.x())); });
}

/// y = erfinv x: y' = √π/2 e^(y²), which is infinite at 1 and -1.
void gradErfInv(OpGradient &d) {
  d.give(0, [&] {
    ValueId y = d.result();
    ValueId slope = d.splat(y, 0.5 / std::numbers::inv_sqrtpi);
    return d.b.mul(d.g, d.b.mul(slope, d.b.unary(OpKind::Exp, d.b.mul(y, y))));
  });
}

/// y = log(1 + e^x): y' = sigmoid x.
void gradSoftplus(OpGradient &d) {
  d.give(0, [&] { return d.b.mul(d.g, d.b.unary(OpKind::Sigmoid, d.x())); });
}

namespace {

/// x inside [-limit, limit], the nearer end outside: where an activation's slope is 0 or 1 already,
/// so that no product of infinity and zero follows. NaN stays.
ValueId clampedTo(OpGradient &d, double limit) {
  ValueId x = d.x(), high = d.splat(x, limit), low = d.splat(x, -limit);
  return d.b.binary(OpKind::Max, d.b.binary(OpKind::Min, x, high), low);
}

} // namespace

/// y = x s, s = sigmoid x: y' = s (1 + x (1 - s)).
void gradSilu(OpGradient &d) {
  d.give(0, [&] {
    ValueId one = d.splat(d.x(), 1);
    ValueId s = d.b.unary(OpKind::Sigmoid, d.x());
    ValueId other = d.b.sub(one, s);
    ValueId rest = d.b.mul(clampedTo(d, 1000), other);
    return d.b.mul(d.g, d.b.mul(s, d.b.add(one, rest)));
  });
}

/// y = x Φ(x): y' = Φ(x) + x φ(x), Φ(x) = (1 + erf(x/√2))/2 and φ(x) = e^(-x²/2)/√(2π).
void gradGelu(OpGradient &d) {
  d.give(0, [&] {
    auto number = [&](double value) { return d.splat(d.x(), value); };
    ValueId x = clampedTo(d, 50);
    ValueId root = d.b.mul(x, number(std::numbers::sqrt2 / 2));
    ValueId erf = d.b.unary(OpKind::Erf, root);
    ValueId both = d.b.add(number(1), erf);
    ValueId area = d.b.mul(number(0.5), both);
    ValueId bell = d.b.unary(OpKind::Exp, d.b.neg(d.b.mul(root, root)));
    ValueId scale = number(std::numbers::inv_sqrtpi * std::numbers::sqrt2 / 2);
    return d.b.mul(d.g, d.b.add(area, d.b.mul(x, d.b.mul(scale, bell))));
  });
}

/// y = x s, s = sigmoid(u), u = x (k + c x²), k = 2 √(2/π), c = 0.044715 k:
/// y' = s (1 + x (1 - s) (k + 3 c x²)).
void gradGeluTanh(OpGradient &d) {
  d.give(0, [&] {
    auto number = [&](double value) { return d.splat(d.x(), value); };
    const double k = 2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi, c = 0.044715 * k;
    ValueId x = clampedTo(d, 50), square = d.b.mul(x, x);
    ValueId cubic = d.b.mul(number(c), square);
    ValueId u = d.b.mul(x, d.b.add(number(k), cubic));
    ValueId s = d.b.unary(OpKind::Sigmoid, u);
    ValueId ofCubic = d.b.mul(number(3 * c), square);
    ValueId slope = d.b.add(number(k), ofCubic);
    ValueId other = d.b.sub(number(1), s);
    ValueId rest = d.b.mul(d.b.mul(x, slope), other);
    return d.b.mul(d.g, d.b.mul(s, d.b.add(number(1), rest)));
  });
}

/// Only between floats: the cut at other dtypes is cutsGradient's.
void gradConvert(OpGradient &d) {
  if (d.type(d.x()).dtype == DType::BF16 || d.type(d.result()).dtype == DType::BF16)
    return d.refuse("bf16 stores values, and no gradients");
  d.give(0, [&] { return d.b.convert(d.g, d.type(d.x()).dtype); });
}

} // namespace apr
