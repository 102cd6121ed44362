// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/expansions/formulas.h"

// softplus, silu and the two forms of gelu.
namespace apr::expansions {

/// log(1 + e) for a pair 0 < e <= 1: as logOf, with f = e, or (e - 1)/2 from sqrt(2) - 1 on.
template <class F> Pair<F> log1pOfPair(Pair<F> e) {
  auto isUpper = e.high > kTangentOfEighth;
  Pair<F> lowered = fastTwoSum(-1.0, e.high);
  F f = select(isUpper, F(lowered.high * 0.5), e.high);
  F fLow = select(isUpper, F((lowered.low + e.low) * 0.5), e.low);
  F exponent = select(isUpper, splat(f, 1.0), splat(f, 0.0));
  F s = f / (f + 2.0);
  F square = s * s;
  F head = leadingBits(f);
  F half = head * head * 0.5;
  F halfRest = (f - head) * (f + head) * 0.5;
  F rest = s * ((half + halfRest) + square * horner(square, kLogTail)) - halfRest;
  rest = rest + fLow * (1.0 - (f - half * 2.0)) + exponent * kLn2Low; // 1/(1 + f)
  Pair<F> top = twoSum(F(exponent * kLn2High), f);
  Pair<F> body = twoSum(top.high, F(-half));
  return fastTwoSum(body.high, rest + (top.low + body.low));
}

/// max(x, 0) + log(1 + e^-|x|).
template <class F> F softplus(F x) {
  F magnitude = absolute(x);
  auto e = expParts(-clamped(magnitude, 0.0, 60.0), splat(x, 0.0));
  F scale = powerOf2(e.exponent);
  Pair<F> one = fastTwoSum(1.0, e.tail.high);
  Pair<F> logarithm = log1pOfPair(Pair<F>{scale * one.high, scale * (one.low + e.tail.low)});
  Pair<F> sum = twoSum(clamped(x, 0.0, 60.0), logarithm.high);
  F value = sum.high + (sum.low + logarithm.low);
  // Below -40 log(1 + e) is e, above 60 softplus is x.
  value = select(x < -40.0, exp(x), value);
  return select(x > 60.0, x, value);
}

/// x / (1 + e^-u) for x and u of one sign, |u| a pair; zeros, infinities and NaN aside.
template <class F> F timesSigmoid(F x, Pair<F> magnitude) {
  auto e = expParts(F(-magnitude.high), F(-magnitude.low));
  Pair<F> one = fastTwoSum(1.0, e.tail.high);
  one.low = one.low + e.tail.low;
  // In the denominator e^-|u| does not count where its power of two underflows.
  auto least = splat(e.exponent, -900);
  F scale = powerOf2(select(e.exponent > -900, e.exponent, least));
  auto isNegative = x < 0.0;
  Pair<F> numerator = selectPair(isNegative, one, Pair<F>{splat(x, 1.0), splat(x, 0.0)});
  Pair<F> share = dividedByOnePlus(numerator, Pair<F>{scale * one.high, scale * one.low});
  Pair<F> whole = twoProduct(x, share.high);
  F value = whole.high + (whole.low + x * share.low);
  return select(isNegative, scaled(value, e.exponent), value);
}

template <class F> F silu(F x) {
  F inner = clamped(x, -760.0, 60.0);
  F value = timesSigmoid(inner, Pair<F>{absolute(inner), splat(x, 0.0)});
  value = select(absolute(x) < 0x1p-900, F(x * 0.5), value);
  return select(x > 60.0, x, value);
}

/// (1 + tanh(u))/2 is the sigmoid of 2u = x (2 sqrt(2/pi) + 2 sqrt(2/pi) 0.044715 x^2).
template <class F> Pair<F> geluExponent(F magnitude) {
  Pair<F> square = twoProduct(magnitude, magnitude);
  Pair<F> cubic =
      product(square, Pair<F>{splat(magnitude, kGeluCubic), splat(magnitude, kGeluCubicRest)});
  Pair<F> sum = twoSum(splat(magnitude, kGeluSlope), cubic.high);
  sum = fastTwoSum(sum.high, sum.low + (cubic.low + kGeluSlopeRest));
  return product(sum, Pair<F>{magnitude, splat(magnitude, 0.0)});
}

template <class F> F geluTanh(F x) {
  F inner = clamped(x, -22.0, 22.0);
  F value = timesSigmoid(inner, geluExponent(absolute(inner)));
  value = select(absolute(x) < 0x1p-400, F(x * 0.5), value);
  return select(x > 22.0, x, value);
}

/// e^(-a^2/2) / Phi(-a) = 2 + a (sqrt(2 pi) + W(a)) for a >= 0: Mills' ratio, turned over.
template <class F, size_t N> Pair<F> millsDivisor(F a, const double (&coefficients)[N]) {
  Pair<F> tail = polynomial(relativeDistance(a, 4.0), coefficients);
  Pair<F> slope = twoSum(splat(a, kSqrtTwoPi), tail.high);
  F slopeLow = slope.low + (tail.low + kSqrtTwoPiRest);
  Pair<F> linear = twoProduct(a, slope.high);
  Pair<F> sum = twoSum(splat(a, 2.0), linear.high);
  return fastTwoSum(sum.high, sum.low + (linear.low + a * slopeLow));
}

/// x Phi(x), Phi(-a) = e^(-a^2/2) / millsDivisor(a) and Phi(a) = 1 - Phi(-a).
template <class F> F gelu(F x) {
  F a = clamped(absolute(x), 0.0, 39.5);
  Pair<F> square = twoProduct(a, a);
  auto e = expParts(F(square.high * -0.5), F(square.low * -0.5));
  Pair<F> one = fastTwoSum(1.0, e.tail.high);
  one.low = one.low + e.tail.low;
  Pair<F> share = divided(one, millsDivisor(a, kGeluTail));
  Pair<F> part = twoProduct(a, share.high);
  part.low = part.low + a * share.low;
  F negative = -scaled(F(part.high + part.low), e.exponent);
  // Beyond 2^-900 the part that is taken from a does not count.
  F scale = powerOf2(select(e.exponent > -900, e.exponent, splat(e.exponent, -900)));
  Pair<F> rest = fastTwoSum(a, F(-(scale * part.high)));
  F positive = rest.high + (rest.low - scale * part.low);
  F value = select(x < 0.0, negative, positive);
  value = select(absolute(x) < 0x1p-400, F(x * 0.5), value);
  return select(x > 39.5, x, value);
}

} // namespace apr::expansions
