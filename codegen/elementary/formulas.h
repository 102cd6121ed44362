// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/elementary/coefficients.h"
#include "ir/expansions/angle.h"
#include "ir/expansions/arc.h"
#include "ir/expansions/erfinv.h"
#include "ir/expansions/formulas.h"
#include "ir/expansions/pair_arithmetic.h"

#include <cstddef>
#include <cstdint>

// The f32 elementary functions, evaluated inside f64: straight-line additions, multiplications,
// divisions, selects and bit operations, no fma, no table, no data-dependent branch, so that one
// formula serves every target and lane count. Each takes the f32 operand widened to f64 and gives
// an f64 whose one rounding to f32 is the correctly rounded result, overflow and denormals
// included. A NaN operand gives an unspecified value: the caller selects the canonical NaN.
//
// F is an f64 value (double, or LaneF64 over LLVM values); integers of the same shape have its
// bits. docs/design/elementary_functions.md explains each formula.
namespace apr::elementary {

using expansions::absolute;
using expansions::dividedByOnePlus;
using expansions::fastTwoSum;
using expansions::horner;
using expansions::kInfinity;
using expansions::kNaN;
using expansions::kSignBit;
using expansions::kToInteger;
using expansions::leadingBits;
using expansions::modulo4;
using expansions::Pair;
using expansions::roundToInteger;
using expansions::splitExponent;
using expansions::twoSum;
using expansions::withSignOf;

/// The sum rounded to odd: f64 keeps 29 bits more than f32, so rounding this to f32 rounds the sum
/// itself once. The bits of a double count its magnitude.
template <class F> F roundToOdd(Pair<F> sum) {
  auto high = bitsOf(sum.high);
  auto opposite = shiftRight((high ^ bitsOf(sum.low)) & kSignBit, 63);
  return select(sum.low == 0.0, sum.high, fromBits((high - opposite) | 1));
}

/// e^x = scale * (1 + tail), scale a power of two.
template <class F> struct ExpParts {
  F scale;
  F tail;
};

template <class F, std::size_t N> ExpParts<F> expParts(F x, const double (&coefficients)[N]) {
  F shifted = x * kLog2E + kToInteger;
  F n = shifted - kToInteger;
  F r = (x - n * kLn2High) - n * kLn2Low;
  F scale = fromBits(shiftLeft(bitsOf(shifted) + 1023, 52));
  return {scale, r + r * r * horner(r, coefficients)};
}

/// The same for a pair whose low part may be as large as an ulp of the high one.
template <class F> F roundSumToOdd(Pair<F> sum) {
  return roundToOdd(fastTwoSum(sum.high, sum.low));
}

template <class F> F clamp(F x, double low, double high) {
  F raised = select(x < low, splat(x, low), x);
  return select(raised > high, splat(x, high), raised);
}

/// e^r - 1 for |r| <= ln2/2, to 2^-57 of e^r.
template <class F> Pair<F> shortExpTail(Pair<F> r) {
  F x = r.high;
  F rest = x * x * (x * horner(x, expansions::kExpTail) + 0.5);
  return fastTwoSum(x, rest + (r.low + r.low * x));
}

/// e^(x + low) = scale * (1 + tail) to 2^-57, scale a power of two.
template <class F> struct ExpPair {
  F scale;
  Pair<F> sum; ///< 1 + tail
};

template <class F> ExpPair<F> expPair(F x, F low) {
  F shifted = x * kLog2E + kToInteger;
  F n = shifted - kToInteger;
  Pair<F> tail = shortExpTail(fastTwoSum(F(x - n * kLn2High), low - n * kLn2Low));
  Pair<F> sum = fastTwoSum(1.0, tail.high);
  return {fromBits(shiftLeft(bitsOf(shifted) + 1023, 52)), {sum.high, sum.low + tail.low}};
}

template <class F> F exp(F x) {
  auto e = expParts(clamp(x, -104.0, 89.0), kExpTail);
  return e.scale + e.scale * e.tail;
}

template <class F> F expm1(F x) {
  auto e = expParts(clamp(x, -50.0, 89.0), kExpTail);
  return withSignOf(e.scale * e.tail + (e.scale - 1.0), x);
}

/// 2^n e^((x - n) ln2): the fraction x - n is exact, its product with the head of ln2 too.
template <class F> F exp2(F x) {
  F inner = clamp(x, -151.0, 129.0);
  F shifted = inner + kToInteger;
  F fraction = inner - (shifted - kToInteger);
  Pair<F> tail = shortExpTail(fastTwoSum(F(fraction * kLn2Head), fraction * kLn2HeadRest));
  Pair<F> sum = fastTwoSum(1.0, tail.high);
  F scale = fromBits(shiftLeft(bitsOf(shifted) + 1023, 52));
  return scale * roundSumToOdd(Pair<F>{sum.high, sum.low + tail.low});
}

/// (e^|x| - sign e^-|x|) / 2.
template <class F> F hyperbolic(F x, double sign) {
  F magnitude = clamp(absolute(x), 0.0, 91.0);
  F shifted = magnitude * kLog2E + kToInteger;
  F n = shifted - kToInteger;
  Pair<F> r = fastTwoSum(F(magnitude - n * kLn2High), n * -kLn2Low);
  auto bits = shiftLeft(bitsOf(shifted) + 1022, 52); // of 2^(n-1); those of 2^(-n-1) complement it
  F small = fromBits(2044 * 0x0010000000000000 - bits);
  return roundToOdd(expansions::hyperbolicSum(r, F(fromBits(bits)), F(small * sign)));
}

template <class F> F sinh(F x) { return withSignOf(hyperbolic(x, 1.0), x); }
template <class F> F cosh(F x) { return hyperbolic(x, -1.0); }

template <class F> F tanh(F x) {
  F magnitude = absolute(x);
  auto e = expParts(clamp(magnitude + magnitude, 0.0, 20.0), kExpTailLong);
  F numerator = e.scale * e.tail + (e.scale - 1.0);
  return withSignOf(numerator / (numerator + 2.0), x);
}

/// With E = e^-|x|: 1 - E/(1+E) for positive x, E/(1+E) for negative, E and the quotient as pairs.
template <class F> F sigmoid(F x) {
  F magnitude = absolute(x);
  auto e = expParts(-select(magnitude > 104.0, splat(x, 104.0), magnitude), kExpTailLong);
  Pair<F> one = fastTwoSum(1.0, e.tail);
  Pair<F> power{e.scale * one.high, e.scale * one.low};
  Pair<F> quotient = dividedByOnePlus(power, power);
  Pair<F> head = fastTwoSum(1.0, -quotient.high);
  auto isNegative = x < 0.0;
  F high = select(isNegative, quotient.high, head.high);
  F low = select(isNegative, quotient.low, head.low - quotient.low);
  return roundToOdd(fastTwoSum(high, low));
}

/// log of 2^exponent * (1 + f) for 1 + f in [sqrt(1/2), sqrt(2)), f of at most 26 bits, rounded to
/// odd.
template <class F> F logOf(F exponent, F f) {
  F s = f / (f + 2.0);
  F square = s * s;
  F half = f * 0.5 * f;
  F tail = square * horner(square, kLogTail);
  F low = s * (half + tail) + exponent * kLn2Low;
  Pair<F> head = twoSum(exponent * kLn2High, f);
  Pair<F> body = twoSum(head.high, -half);
  return roundToOdd(fastTwoSum(body.high, low + (head.low + body.low)));
}

template <class F> F selectLogSpecial(F argument, F value) {
  value = select(argument == 0.0, splat(argument, -kInfinity), value);
  value = select(argument < 0.0, splat(argument, kNaN), value);
  return select(argument == kInfinity, argument, value);
}

template <class F> F log(F x) {
  auto parts = splitExponent(x);
  return selectLogSpecial(x, logOf(parts.exponent, F(parts.mantissa - 1.0)));
}

/// As logOf, each term times log2(e): exactly for f and the leading bits of f^2/2.
template <class F> F log2(F x) {
  auto [mantissa, exponent] = splitExponent(x);
  F f = mantissa - 1.0;
  F s = f / (f + 2.0);
  F square = s * s;
  F half = f * 0.5 * f;
  F halfHead = leadingBits(half);
  F tail = s * (half + square * horner(square, kLogTail)) - (half - halfHead);
  F low = tail * kLog2E + (f - halfHead) * kLog2EHeadRest;
  Pair<F> head = twoSum(exponent, F(f * kLog2EHead));
  Pair<F> body = twoSum(head.high, F(halfHead * -kLog2EHead));
  Pair<F> sum = fastTwoSum(body.high, low + (head.low + body.low));
  return selectLogSpecial(x, roundToOdd(sum));
}

template <class F> F log1p(F x) {
  F u = x + 1.0;
  auto parts = splitExponent(u);
  // Near zero 1 + x is not exact in f64, but x itself is the fraction.
  F f = select(parts.exponent == 0.0, x, F(parts.mantissa - 1.0));
  F value = logOf(parts.exponent, f);
  return select(x == 0.0, x, selectLogSpecial(u, value));
}

/// An angle of quarter turns + fraction, |fraction| <= pi/4 in radians.
template <class F> struct Angle {
  F quarters;
  Pair<F> fraction;
};

/// Payne and Hanek's reduction of x >= 0 in f64. x * 2/pi is the sum of products with four pieces
/// of 2/pi which the size of x selects; whatever is a multiple of four quarter turns drops out
/// exactly.
template <class F> Angle<F> reduceAngle(F x) {
  auto from28 = x >= 0x1p28, from56 = x >= 0x1p56, from84 = x >= 0x1p84, from112 = x >= 0x1p112;
  auto piece = [&](double p0, double p1, double p2, double p3, double p4) {
    F chosen = select(from28, splat(x, p1), splat(x, p0));
    chosen = select(from56, splat(x, p2), chosen);
    chosen = select(from84, splat(x, p3), chosen);
    return select(from112, splat(x, p4), chosen);
  };
  const auto &p = kTwoOverPiPiece;
  const auto &rest = kTwoOverPiRest;
  F first = x * piece(0.0, p[0], p[1], p[2], p[3]);
  F second = x * piece(p[0], p[1], p[2], p[3], p[4]);
  F third = x * piece(p[1], p[2], p[3], p[4], p[5]);
  F fourth = x * piece(rest[2], rest[3], rest[4], rest[5], rest[6]);
  first = modulo4(first);
  second = modulo4(second);
  F leading = first + second;
  F quarters = roundToInteger(leading);
  Pair<F> sum = twoSum(F(leading - quarters), third);
  F carry = roundToInteger(sum.high);
  Pair<F> turn = twoSum(F(sum.high - carry), fourth);
  F turnLow = turn.low + sum.low;
  // Times pi/2.
  F head = leadingBits(turn.high);
  F product = head * kHalfPiHigh;
  F correction = head * kHalfPiLow + ((turn.high - head) + turnLow) * kHalfPi;
  return {quarters + carry, fastTwoSum(product, correction)};
}

/// sin or cos of the angle, each rounded to odd; the quadrant picks which and its sign.
template <class F> F sineOfQuadrant(Angle<F> angle, std::int64_t firstQuadrant) {
  auto [theta, thetaLow] = angle.fraction;
  F z = theta * theta;
  F sinTail = theta * (z * horner(z, kSinTail)) + thetaLow * (1.0 - z * 0.5);
  F head = leadingBits(theta);
  F halfSquare = head * head * 0.5;
  F cosHead = 1.0 - halfSquare;
  F cosTail =
      ((1.0 - cosHead) - halfSquare) +
      (z * z * horner(z, kCosTail) - ((theta - head) * (theta + head) * 0.5 + theta * thetaLow));
  auto quadrant = bitsOf(angle.quarters + kToInteger) + firstQuadrant;
  auto isCosine = (quadrant & 1) == 1;
  Pair<F> sum = fastTwoSum(select(isCosine, cosHead, theta), select(isCosine, cosTail, sinTail));
  auto sign = shiftLeft(quadrant & 2, 62);
  return fromBits(bitsOf(roundToOdd(sum)) ^ sign);
}

template <class F> F nanUnlessFinite(F magnitude, F value) {
  return select(magnitude < kInfinity, value, splat(magnitude, kNaN));
}

template <class F> F sin(F x) {
  F magnitude = absolute(x);
  F value = sineOfQuadrant(reduceAngle(magnitude), 0);
  return nanUnlessFinite(magnitude, fromBits(bitsOf(value) ^ (bitsOf(x) & kSignBit)));
}

template <class F> F cos(F x) {
  F magnitude = absolute(x);
  return nanUnlessFinite(magnitude, sineOfQuadrant(reduceAngle(magnitude), 1));
}

template <class F> F tan(F x) {
  F magnitude = absolute(x);
  Angle<F> angle = reduceAngle(magnitude);
  auto quadrant = bitsOf(angle.quarters + kToInteger) & 1;
  F value = roundSumToOdd(expansions::tangentOf(angle.fraction, quadrant == 1));
  auto sign = shiftLeft(quadrant, 63) ^ (bitsOf(x) & kSignBit);
  return nanUnlessFinite(magnitude, fromBits(bitsOf(value) ^ sign));
}

template <class F> F atan(F x) {
  return withSignOf(roundToOdd(expansions::atanPair(absolute(x))), x);
}

template <class F> F asin(F x) {
  F magnitude = absolute(x);
  F value = withSignOf(roundToOdd(expansions::asinPair(magnitude)), x);
  return select(magnitude > 1.0, splat(x, kNaN), value);
}

template <class F> F acos(F x) {
  F value = roundToOdd(expansions::acosPair(x));
  return select(absolute(x) > 1.0, splat(x, kNaN), value);
}

template <class F> F erfinv(F x) {
  F magnitude = absolute(x);
  F value = roundToOdd(expansions::erfinvPair(magnitude));
  value = select(magnitude == 1.0, splat(x, kInfinity), value);
  value = select(magnitude == 0.0, magnitude, value);
  return select(magnitude > 1.0, splat(x, kNaN), withSignOf(value, x));
}

/// Both ranges are evaluated: x P(x^2) up to 1, 1 - e^(-x^2) Q((x-2)/(x+2)) beyond.
template <class F> F erf(F x) {
  F magnitude = absolute(x);
  F a = select(magnitude > 4.0, splat(x, 4.0), magnitude);
  F z = a * a;
  F smallHigh = a * kTwoOverSqrtPiHigh;
  F smallLow = a * (z * horner(z, kErfTail) + kTwoOverSqrtPiLow);
  auto e = expParts(-z, kExpTailLong);
  F complement = (e.scale + e.scale * e.tail) * horner((a - 2.0) / (a + 2.0), kErfcScaled);
  auto isSmall = a < 1.0;
  Pair<F> sum = fastTwoSum(select(isSmall, smallHigh, splat(x, 1.0)),
                           select(isSmall, smallLow, F(-complement)));
  return withSignOf(roundToOdd(sum), x);
}

template <class F> F rsqrt(F x) {
  // 1/sqrt(-0) is -inf by IEEE 754 itself.
  return 1.0 / squareRoot(x);
}

} // namespace apr::elementary
