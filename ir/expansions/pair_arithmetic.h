// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

// Building blocks of formulas over f64 values of any representation: ops of the IR
// (ir/expansions/ir_values.h), LLVM vectors (codegen), plain numbers (tests). A value type F has
// + - * / with F and double, unary -, comparisons that give a mask, and select, splat, bitsOf; its
// integers have + - & | ^ ==, shiftLeft, shiftRight (zeros come in) and fromBits.
namespace apr::expansions {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
inline constexpr int64_t kSignBit = INT64_MIN;
/// Adding this rounds to an integer, which then stands in the low bits.
inline constexpr double kToInteger = 0x1.8p52;
inline constexpr double kToMultipleOf4 = 0x1.8p54;

/// An unevaluated sum; |low| is at most about an ulp of high.
template <class F> struct Pair {
  F high;
  F low;
};

template <class F, size_t N> F horner(F x, const double (&coefficients)[N]) {
  F sum = x * coefficients[N - 1] + coefficients[N - 2];
  for (size_t k = N - 2; k-- > 0;)
    sum = sum * x + coefficients[k];
  return sum;
}

/// a + b exactly, for |a| >= |b| or a = 0.
template <class A, class F> Pair<F> fastTwoSum(A a, F b) {
  F high = a + b;
  return {high, b - (high - a)};
}

/// a + b exactly.
template <class A, class F> Pair<F> twoSum(A a, F b) {
  F high = a + b;
  F shadow = high - a;
  return {high, (a - (high - shadow)) + (b - shadow)};
}

/// The leading 26 bits of x, so that a product of two such is exact; |x| < 2^996.
template <class F> F leadingBits(F x) {
  F scaled = x * 0x1.0000002p27;
  return scaled - (scaled - x);
}

/// a * b exactly (Dekker), where nothing over- or underflows.
template <class F> Pair<F> twoProduct(F a, F b) {
  F product = a * b;
  F aHead = leadingBits(a), bHead = leadingBits(b);
  F aTail = a - aHead, bTail = b - bHead;
  return {product, ((aHead * bHead - product) + aHead * bTail + aTail * bHead) + aTail * bTail};
}

/// a * b for pairs; relative error about 2^-100.
template <class F> Pair<F> product(Pair<F> a, Pair<F> b) {
  Pair<F> p = twoProduct(a.high, b.high);
  return fastTwoSum(p.high, p.low + (a.high * b.low + a.low * b.high));
}

/// The polynomial at t, its last step in pairs: what t and the coefficients above the first round
/// off counts by the share of the rest only.
template <class F, size_t N> Pair<F> polynomial(Pair<F> t, const double (&coefficients)[N]) {
  F slope = splat(t.high, coefficients[N - 1]);
  for (size_t k = N - 1; k-- > 1;)
    slope = slope * t.high + coefficients[k];
  Pair<F> rise = twoProduct(t.high, slope);
  Pair<F> sum = twoSum(splat(t.high, coefficients[0]), rise.high);
  return {sum.high, sum.low + (rise.low + t.low * slope)};
}

template <class F> F absolute(F x) { return fromBits(bitsOf(x) & ~kSignBit); }

template <class F> F withSignOf(F magnitude, F x) {
  return fromBits((bitsOf(magnitude) & ~kSignBit) | (bitsOf(x) & kSignBit));
}

/// x - the multiple of 4 that lies within 4 of it; exact for |x| <= 2^54.
template <class F> F modulo4(F x) { return x - ((x + kToMultipleOf4) - kToMultipleOf4); }

/// The nearest integer; |x| <= 2^51.
template <class F> F roundToInteger(F x) { return (x + kToInteger) - kToInteger; }

/// a / (1 + b) for pairs 2^-900 <= a <= 2^900 and 0 <= b <= 2^900: relative error below 2^-75.
template <class F> Pair<F> dividedByOnePlus(Pair<F> a, Pair<F> b) {
  Pair<F> sum = twoSum(1.0, b.high);
  F sumLow = sum.low + b.low;
  F reciprocal = 1.0 / sum.high;
  F quotient = leadingBits(a.high * reciprocal);
  F sumHead = leadingBits(sum.high);
  F rest = (a.high - quotient * sumHead) - quotient * (sum.high - sumHead);
  return {quotient, (rest + (a.low - quotient * sumLow)) * reciprocal};
}

/// a / b for pairs 2^-900 <= |b| <= 2^900: relative error below 2^-75 where the quotient is normal.
template <class F> Pair<F> divided(Pair<F> a, Pair<F> b) {
  F reciprocal = 1.0 / b.high;
  F quotient = leadingBits(a.high * reciprocal);
  F head = leadingBits(b.high);
  F rest = (a.high - quotient * head) - quotient * (b.high - head);
  return {quotient, (rest + (a.low - quotient * b.low)) * reciprocal};
}

/// (a - c) / (a + c) for a >= 0, c > 0 of ordinary size.
template <class F> Pair<F> relativeDistance(F a, double c) {
  Pair<F> quotient = divided(twoSum(a, splat(a, -c)), twoSum(a, splat(a, c)));
  return fastTwoSum(quotient.high, quotient.low);
}

template <class F> Pair<F> negated(Pair<F> a) { return {-a.high, -a.low}; }

template <class M, class F> Pair<F> selectPair(M mask, Pair<F> yes, Pair<F> no) {
  return {select(mask, yes.high, no.high), select(mask, yes.low, no.low)};
}

/// x = mantissa * 2^exponent, mantissa in [sqrt(1/2), sqrt(2)).
template <class F> struct Scaled {
  F mantissa;
  F exponent;
};

/// Splits a positive normal number.
template <class F> Scaled<F> splitExponent(F x) {
  constexpr int64_t kRootHalf = 0x3fe6a09e667f3bcd;
  auto raised = bitsOf(x) + (0x3ff0000000000000 - kRootHalf);
  auto mantissa = (raised & 0x000fffffffffffff) + kRootHalf;
  auto exponent = shiftRight(raised, 52) | 0x4330000000000000; // as the low bits of 2^52
  return {fromBits(mantissa), fromBits(exponent) - (0x1p52 + 1023)};
}

} // namespace apr::expansions
