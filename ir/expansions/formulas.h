// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/expansions/coefficients.h"
#include "ir/expansions/log_pair.h"
#include "ir/expansions/pair_arithmetic.h"

// The f64 functions: the operation sequence below is their meaning. Each is within one unit in the
// last place, from denormal to overflow, and right for infinities, zeros and NaN; multiplications
// and additions only, so that every target runs them at the same cost.
// docs/design/elementary_functions.md has the error budgets.
namespace apr::expansions {

/// The bits of kToInteger; what exceeds them is the integer.
inline constexpr int64_t kToIntegerBits = 0x4338000000000000;

/// e^x = 2^exponent * (1 + tail): tail = e^r - 1 of the reduced argument, good to 2^-58.
template <class F, class I> struct ExpParts {
  I exponent;
  Pair<F> tail;
};

/// e^r - 1 for |r| <= ln2/2.
template <class F> Pair<F> expTail(Pair<F> r) {
  F head = leadingBits(r.high);
  Pair<F> sum = fastTwoSum(r.high, head * head * 0.5);
  F squareRest = (r.high - head) * (r.high + head) * 0.5;
  F cube = r.high * r.high * r.high;
  F rest = sum.low + (squareRest + (r.low + cube * horner(r.high, kExpTail)));
  return fastTwoSum(sum.high, rest);
}

/// e^(x + low) for |x| < 1100 and a small low.
template <class F> auto expParts(F x, F low) {
  F shifted = x * kLog2E + kToInteger;
  F n = shifted - kToInteger;
  Pair<F> tail = expTail(fastTwoSum(x - n * kLn2High, n * -kLn2Low + low));
  auto exponent = bitsOf(shifted) - kToIntegerBits;
  return ExpParts<F, decltype(exponent)>{exponent, tail};
}

/// 2^n for -1022 <= n <= 1023.
template <class I> auto powerOf2(I n) { return fromBits(shiftLeft(n + 1023, 52)); }

/// value * 2^n in two exact steps up to the last rounding, for n down to -1100 and up to 1030.
template <class F, class I> F scaled(F value, I n) {
  auto firstHalf = shiftRightArithmetic(n, 1);
  return value * powerOf2(firstHalf) * powerOf2(n - firstHalf);
}

template <class F> F clamped(F x, double low, double high) {
  F raised = select(x < low, splat(x, low), x);
  return select(raised > high, splat(x, high), raised);
}

/// e^(x + low), where low = 0 if x is beyond the clamp.
template <class F> F expOfSum(F x, F low) {
  auto e = expParts(clamped(x, -746.0, 710.0), low);
  Pair<F> sum = fastTwoSum(1.0, e.tail.high);
  return scaled(F(sum.high + (sum.low + e.tail.low)), e.exponent);
}

template <class F> F exp(F x) { return expOfSum(x, splat(x, 0.0)); }

/// 2^n e^(x ln2 - n ln2): what is left of x after its nearest integer is exact.
template <class F> F exp2(F x) {
  F inner = clamped(x, -1080.0, 1030.0);
  F shifted = inner + kToInteger;
  F fraction = inner - (shifted - kToInteger);
  Pair<F> r = twoProduct(fraction, splat(x, kLn2));
  Pair<F> tail = expTail(fastTwoSum(r.high, r.low + fraction * kLn2Rest));
  Pair<F> sum = fastTwoSum(1.0, tail.high);
  return scaled(F(sum.high + (sum.low + tail.low)), bitsOf(shifted) - kToIntegerBits);
}

/// e^x - 1 as a pair, for |x| <= 60.
template <class F> Pair<F> expm1Pair(F x) {
  auto e = expParts(x, splat(x, 0.0));
  F scale = powerOf2(e.exponent);
  Pair<F> head = twoSum(scale, splat(x, -1.0)); // from 2^54 on, the 1 is below the last place
  Pair<F> sum = twoSum(head.high, F(scale * e.tail.high));
  return fastTwoSum(sum.high, sum.low + (head.low + scale * e.tail.low));
}

template <class F> F expm1(F x) {
  Pair<F> near = expm1Pair(clamped(x, -60.0, 60.0));
  F value = select(x > 60.0, exp(x), F(near.high + near.low));
  return withSignOf(select(absolute(x) < 0x1p-54, x, value), x);
}

template <class F> F tanh(F x) {
  F magnitude = absolute(x);
  Pair<F> power = expm1Pair(clamped(F(magnitude + magnitude), 0.0, 44.0));
  // p / (p + 2) = (p/2) / (1 + p/2)
  Pair<F> half{power.high * 0.5, power.low * 0.5};
  Pair<F> quotient = dividedByOnePlus(half, half);
  F value = select(magnitude < 0x1p-28, magnitude, F(quotient.high + quotient.low));
  return withSignOf(value, x);
}

/// With E = e^-|x|: 1 - E/(1+E) for positive x, E/(1+E) for negative.
template <class F> F sigmoid(F x) {
  F magnitude = absolute(x);
  auto e = expParts(-clamped(magnitude, 0.0, 40.0), splat(x, 0.0));
  F scale = powerOf2(e.exponent);
  Pair<F> one = fastTwoSum(1.0, e.tail.high);
  Pair<F> power{scale * one.high, scale * (one.low + e.tail.low)};
  Pair<F> quotient = dividedByOnePlus(power, power);
  Pair<F> above = fastTwoSum(1.0, -quotient.high);
  F positive = above.high + (above.low - quotient.low);
  // Below -40 the 1 in 1 + E is all there is of the denominator.
  F negative = select(x < -40.0, exp(x), F(quotient.high + quotient.low));
  return select(x < 0.0, negative, positive);
}

/// log of 2^exponent * (1 + f + rest), for 1 + f in [sqrt(1/2), sqrt(2)).
template <class F> F logOf(F exponent, F f, F rest) {
  F s = f / (f + 2.0);
  F square = s * s;
  F half = f * 0.5 * f;
  F low = s * (half + square * horner(square, kLogTail)) + (exponent * kLn2Low + rest);
  Pair<F> head = twoSum(F(exponent * kLn2High), f);
  Pair<F> body = twoSum(head.high, F(-half));
  return body.high + (low + (head.low + body.low));
}

/// What log gives at zero, below and at infinity.
template <class F> F selectLogSpecial(F argument, F value) {
  value = select(argument == 0.0, splat(argument, -kInfinity), value);
  value = select(argument < 0.0, splat(argument, kNaN), value);
  // NaN comes through, infinity as itself.
  return select(argument < kInfinity, value, argument);
}

template <class F> F log(F x) {
  auto isSmall = x < 0x1p-1022;
  auto parts = splitExponent(select(isSmall, F(x * 0x1p54), x));
  F exponent = select(isSmall, F(parts.exponent - 54.0), parts.exponent);
  return selectLogSpecial(x, logOf(exponent, F(parts.mantissa - 1.0), splat(x, 0.0)));
}

template <class F> F log2(F x) {
  Pair<F> value = log2Pair(x);
  return selectLogSpecial(x, F(value.high + value.low));
}

template <class F> F log1p(F x) {
  Pair<F> sum = twoSum(1.0, x);
  auto parts = splitExponent(sum.high);
  // Near zero x itself is the fraction; elsewhere what 1 + x lost is a small correction.
  auto isNear = parts.exponent == 0.0;
  F f = select(isNear, x, F(parts.mantissa - 1.0));
  F rest = select(isNear, splat(x, 0.0), F(sum.low / sum.high));
  F value = selectLogSpecial(sum.high, logOf(parts.exponent, f, rest));
  return select(absolute(x) < 0x1p-54, x, value);
}

/// a e^r - b e^-r for powers of two |b| <= a and |r| <= ln2/2: sinh where b > 0, cosh where b < 0.
template <class F> Pair<F> hyperbolicSum(Pair<F> r, F a, F b) {
  F z = r.high * r.high;
  F oddRest = r.low + z * (r.high * horner(z, kSinhTail));            // sinh r - r
  F even = r.high * r.low + (z * 0.5 + z * z * horner(z, kCoshTail)); // cosh r - 1
  Pair<F> top = fastTwoSum(a, F(-b));
  Pair<F> slope = twoSum(F(a * r.high), F(b * r.high));
  Pair<F> sum = twoSum(top.high, slope.high);
  F low = (sum.low + (top.low + slope.low)) + ((a + b) * oddRest + (a - b) * even);
  return fastTwoSum(sum.high, low);
}

/// (e^|x| - sign e^-|x|) / 2: what e^-|x| is beyond e^|x| = 2^60 does not count.
template <class F> F hyperbolic(F x, double sign) {
  F magnitude = clamped(absolute(x), 0.0, 720.0);
  F shifted = magnitude * kLog2E + kToInteger;
  F n = shifted - kToInteger;
  Pair<F> r = fastTwoSum(magnitude - n * kLn2High, n * -kLn2Low);
  auto exponent = bitsOf(shifted) - kToIntegerBits;
  auto inner = select(exponent > 60, splat(exponent, 60), exponent);
  Pair<F> sum = hyperbolicSum(r, powerOf2(inner - 1), F(powerOf2(-1 - inner) * sign));
  return scaled(F(sum.high + sum.low), exponent - inner);
}

template <class F> F sinh(F x) {
  F magnitude = absolute(x);
  return withSignOf(select(magnitude < 0x1p-28, magnitude, hyperbolic(x, 1.0)), x);
}

template <class F> F cosh(F x) { return hyperbolic(x, -1.0); }

/// x + x P(x^2) up to 0.84, 1 - e^(-x^2) Q((x-2)/(x+2)) beyond.
template <class F> F erf(F x) {
  F a = clamped(absolute(x), 0.0, 6.0);
  F z = a * a;
  F near = a + a * (z * horner(z, kErfTail) + kErfLead);
  Pair<F> square = twoProduct(a, a);
  auto e = expParts(F(-square.high), F(-square.low));
  Pair<F> one = fastTwoSum(1.0, e.tail.high);
  F scale = powerOf2(e.exponent);
  Pair<F> power{scale * one.high, scale * (one.low + e.tail.low)};
  Pair<F> complement = product(power, polynomial(relativeDistance(a, 2.0), kErfcScaled));
  Pair<F> above = fastTwoSum(1.0, F(-complement.high));
  F far = above.high + (above.low - complement.low);
  return withSignOf(select(a < 0.84, near, far), x);
}

/// 1/sqrt(x) corrected by the remainders of both steps.
template <class F> F rsqrt(F x) {
  // A multiplication by an even power of two keeps the remainders in range.
  auto isLarge = x > 0x1p500;
  auto isSmall = x < 0x1p-500;
  F inner = select(isSmall, F(x * 0x1p600), select(isLarge, F(x * 0x1p-400), x));
  F root = squareRoot(inner);
  F quotient = 1.0 / root;
  Pair<F> square = twoProduct(root, root);
  Pair<F> product = twoProduct(quotient, root);
  F rootRest = (inner - square.high) - square.low; // inner - root^2
  F quotientRest = (1.0 - product.high) - product.low;
  F corrected = quotient + quotient * (quotientRest - rootRest * 0.5 * quotient * quotient);
  F outer =
      select(isSmall, F(corrected * 0x1p300), select(isLarge, F(corrected * 0x1p-200), corrected));
  // Zeros, infinity and NaN take the plain quotient.
  auto isOrdinary = x * 0.0 == 0.0;
  F plain = 1.0 / squareRoot(x);
  return select(isOrdinary, select(x > 0.0, outer, plain), plain);
}

} // namespace apr::expansions
