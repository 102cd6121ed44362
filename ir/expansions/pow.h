// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/expansions/formulas.h"

namespace apr::expansions {

/// a * b for pairs; relative error about 2^-100.
template <class F> Pair<F> product(Pair<F> a, Pair<F> b) {
  Pair<F> p = twoProduct(a.high, b.high);
  return fastTwoSum(p.high, p.low + (a.high * b.low + a.low * b.high));
}

/// The pair (high, low) of constants plus b, for |b| <= |high|.
template <class F> Pair<F> plus(double high, double low, Pair<F> b) {
  Pair<F> sum = fastTwoSum(high, b.high);
  return fastTwoSum(sum.high, sum.low + (b.low + low));
}

/// log(x) of positive finite x with a relative error below 2^-66.
///
/// 2 s (1 + w/3 + w^2/5 + w^3 rest(w)), s = (m-1)/(m+1), w = s^2: the first three terms in pairs.
template <class F> Pair<F> logPair(F x) {
  auto isSmall = x < 0x1p-1022;
  auto parts = splitExponent(select(isSmall, F(x * 0x1p54), x));
  F exponent = select(isSmall, F(parts.exponent - 54.0), parts.exponent);
  F f = parts.mantissa - 1.0;
  Pair<F> sum = twoSum(2.0, f);
  F quotient = f / sum.high;
  Pair<F> back = twoProduct(quotient, sum.high);
  Pair<F> s{quotient, (((f - back.high) - back.low) - quotient * sum.low) / sum.high};
  Pair<F> square = product(s, s);
  F w = square.high;
  Pair<F> series = plus(kFifthHigh, kFifthLow, Pair<F>{w * horner(w, kAtanhRest), splat(x, 0.0)});
  series = plus(kThirdHigh, kThirdLow, product(square, series));
  series = product(s, plus(1.0, 0.0, product(square, series)));
  Pair<F> mantissaLog{series.high + series.high, series.low + series.low};
  // exponent * ln2: the leading part is exact, and either 0 or the larger term.
  Pair<F> top = fastTwoSum(F(exponent * kLn2High), mantissaLog.high);
  Pair<F> middle = twoProduct(exponent, splat(x, kLn2LowHigh));
  Pair<F> joined = twoSum(top.high, middle.high);
  F rest = (joined.low + top.low) + ((middle.low + exponent * kLn2LowLow) + mantissaLog.low);
  return fastTwoSum(joined.high, rest);
}

/// |x|^y for finite nonzero x and |y| <= 2^70: e^(y log|x|).
template <class F> F powOfMagnitude(F magnitude, F y) {
  Pair<F> logarithm = logPair(magnitude);
  Pair<F> exponent = twoProduct(logarithm.high, y);
  F low = exponent.low + logarithm.low * y;
  auto isInRange = absolute(exponent.high) < 800.0;
  return expOfSum(exponent.high, select(isInRange, low, splat(y, 0.0)));
}

/// IEEE 754 pow: 1 for y = 0 and for x = 1 whatever the other is; NaN for negative x and a y that
/// is no integer; odd integers y keep the sign of x.
template <class F> F pow(F x, F y) {
  F magnitude = absolute(x);
  // Beyond 2^70 every |x| but 1 over- or underflows.
  F value = powOfMagnitude(magnitude, clamped(y, -0x1p70, 0x1p70));
  // At the ends of the range of |x|, and for infinite y, the result is 0 or infinity.
  auto grows = (magnitude > 1.0) == (y > 0.0);
  F limit = select(grows, splat(x, kInfinity), splat(x, 0.0));
  auto isEnd = (magnitude == 0.0) | (magnitude == kInfinity) | (absolute(y) == kInfinity);
  value = select(isEnd, limit, value);
  value = select(magnitude == 1.0, splat(x, 1.0), value);

  auto isInteger = floorOf(y) == y;
  F halfOfY = y * 0.5;
  auto isOdd = isInteger & !(floorOf(halfOfY) == halfOfY);
  auto isNegative = bitsOf(x) < 0;
  value = select(isOdd & isNegative, -value, value);
  auto isUndefined = (x < 0.0) & (x > -kInfinity) & !isInteger;
  value = select(isUndefined, splat(x, kNaN), value);
  // NaN in either operand, then what even NaN does not change.
  value = select((x == x) & (y == y), value, splat(x, kNaN));
  return select((x == 1.0) | (y == 0.0), splat(x, 1.0), value);
}

} // namespace apr::expansions
