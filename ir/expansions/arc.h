// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/expansions/coefficients.h"
#include "ir/expansions/pair_arithmetic.h"

// The inverse trigonometric functions. The f32 functions of the code generator round the same
// pairs.
namespace apr::expansions {

/// For |tangent| <= sqrt(2) - 1.
template <class F> Pair<F> arctangentOf(Pair<F> tangent) {
  F z = tangent.high * tangent.high;
  F rest = tangent.low - z * (tangent.low - tangent.high * horner(z, kAtanTail));
  return fastTwoSum(tangent.high, rest);
}

/// a + b for pairs, |a| >= |b| or a = 0: the low part loses what is below 2^-105.
template <class F> Pair<F> sumOf(Pair<F> a, Pair<F> b) {
  Pair<F> sum = fastTwoSum(a.high, b.high);
  return fastTwoSum(sum.high, sum.low + (a.low + b.low));
}

/// atan(n/d) in [0, pi/2] for n, d >= 0, not both 0, of which neither over- nor underflows when
/// multiplied by 2^60. From sqrt(2) - 1 on it is pi/4 + atan((n - d)/(n + d)), from sqrt(2) + 1 on
/// pi/2 + atan(-d/n).
template <class F> Pair<F> arctangentOfQuotient(F n, F d) {
  auto isBelow = n < d * kTangentOfEighth;
  auto isAbove = n * kTangentOfEighth > d;
  F zero = splat(n, 0.0);
  Pair<F> plainN{n, zero}, plainD{d, zero};
  Pair<F> top = selectPair(isBelow, plainN, selectPair(isAbove, negated(plainD), twoSum(n, F(-d))));
  Pair<F> bottom = selectPair(isBelow, plainD, selectPair(isAbove, plainN, twoSum(n, d)));
  Pair<F> base{
      select(isBelow, zero, select(isAbove, splat(n, kPi / 2), splat(n, kPi / 4))),
      select(isBelow, zero, select(isAbove, splat(n, kPiRest / 2), splat(n, kPiRest / 4)))};
  Pair<F> tangent = divided(top, bottom);
  return sumOf(base, arctangentOf(fastTwoSum(tangent.high, tangent.low)));
}

template <class F> Pair<F> atanPair(F magnitude) {
  // From 2^60 on pi/2 is all there is.
  F bounded = select(magnitude < 0x1p60, magnitude, splat(magnitude, 0x1p60));
  return arctangentOfQuotient(bounded, splat(magnitude, 1.0));
}

template <class F> F atan(F x) {
  F magnitude = absolute(x);
  Pair<F> value = atanPair(magnitude);
  F rounded = select(magnitude < 0x1p-27, magnitude, F(value.high + value.low));
  return select(x == x, withSignOf(rounded, x), x);
}

/// asin(t) of t = a up to 1/2, of t = sqrt((1 - a)/2) beyond: there asin(a) = pi/2 - 2 asin(t).
template <class F> Pair<F> arcsineOfReduced(F a) {
  auto isSmall = a < 0.5;
  F half = (1.0 - a) * 0.5;
  F root = squareRoot(half);
  Pair<F> square = twoProduct(root, root);
  // The root of 0 has no rest.
  F divisor = select(root > 0.0, F(root + root), splat(a, 1.0));
  F rootRest = ((half - square.high) - square.low) / divisor;
  F t = select(isSmall, a, root);
  F z = select(isSmall, F(a * a), half);
  return fastTwoSum(t, select(isSmall, splat(a, 0.0), rootRest) + t * (z * horner(z, kAsinTail)));
}

/// For 0 <= a <= 1.
template <class F> Pair<F> asinPair(F a) {
  auto isSmall = a < 0.5;
  Pair<F> arc = arcsineOfReduced(a);
  Pair<F> halfPi{splat(a, kPi / 2), splat(a, kPiRest / 2)};
  return selectPair(isSmall, arc, sumOf(halfPi, Pair<F>{arc.high * -2.0, arc.low * -2.0}));
}

/// pi/2 - asin(x) up to 1/2, then 2 asin(t), which is exact near 1; pi less that for negative x.
template <class F> Pair<F> acosPair(F x) {
  F a = absolute(x);
  auto isSmall = a < 0.5;
  auto isNegative = x < 0.0;
  Pair<F> arc = arcsineOfReduced(a);
  F zero = splat(x, 0.0);
  F factor = select(isSmall, splat(x, 1.0), splat(x, 2.0));
  factor = select(isSmall, select(isNegative, factor, F(-factor)),
                  select(isNegative, F(-factor), factor));
  Pair<F> base{select(isSmall, splat(x, kPi / 2), select(isNegative, splat(x, kPi), zero)),
               select(isSmall, splat(x, kPiRest / 2), select(isNegative, splat(x, kPiRest), zero))};
  return sumOf(base, Pair<F>{arc.high * factor, arc.low * factor});
}

template <class F> F asin(F x) {
  F magnitude = absolute(x);
  Pair<F> value = asinPair(magnitude);
  F rounded = select(magnitude < 0x1p-27, magnitude, F(value.high + value.low));
  rounded = select(magnitude > 1.0, splat(x, kNaN), withSignOf(rounded, x));
  return select(x == x, rounded, x);
}

template <class F> F acos(F x) {
  Pair<F> value = acosPair(x);
  F rounded = select(absolute(x) > 1.0, splat(x, kNaN), F(value.high + value.low));
  return select(x == x, rounded, x);
}

/// IEEE 754 atan2: atan of |y|/|x| in [0, pi/2], taken from pi where x has a minus sign, with the
/// sign of y. Of two zeros the quotient counts as 0, of two infinities as 1.
template <class F> F atan2(F y, F x) {
  F n = absolute(y), d = absolute(x);
  F zero = splat(x, 0.0), one = splat(x, 1.0);
  auto isNumber = (x == x) & (y == y);
  auto isInfinite = (n == kInfinity) | (d == kInfinity);
  F larger = select(n > d, n, d);
  // A power of two takes the larger operand to the middle of the range.
  F scale = select(larger > 0x1p500, splat(x, 0x1p-600), one);
  scale = select(larger < 0x1p-300, splat(x, 0x1p600), scale);
  F scaledN = select(isInfinite, select(n == kInfinity, one, zero), F(n * scale));
  F scaledD = select(isInfinite, select(d == kInfinity, one, zero), F(d * scale));
  scaledD = select(larger == 0.0, one, scaledD);
  // Beyond 2^60 the smaller is a quotient and nothing else, or does not count.
  auto isFlat = scaledN < scaledD * 0x1p-60;
  auto isSteep = scaledD < scaledN * 0x1p-60;
  Pair<F> angle = arctangentOfQuotient(select(isFlat | isSteep, one, scaledN),
                                       select(isFlat | isSteep, one, scaledD));
  angle = selectPair(isFlat, Pair<F>{zero, zero}, angle);
  angle = selectPair(isSteep, Pair<F>{splat(x, kPi / 2), splat(x, kPiRest / 2)}, angle);
  auto isLeft = bitsOf(x) < 0;
  Pair<F> turned = sumOf(Pair<F>{splat(x, kPi), splat(x, kPiRest)}, negated(angle));
  F right = select(isFlat, select(isInfinite, zero, F(n / d)), F(angle.high + angle.low));
  right = select(larger == 0.0, zero, right);
  F value = select(isLeft, F(turned.high + turned.low), right);
  return select(isNumber, withSignOf(value, y), splat(x, kNaN));
}

} // namespace apr::expansions
