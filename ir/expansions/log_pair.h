// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/expansions/coefficients.h"
#include "ir/expansions/pair_arithmetic.h"

// Logarithms as pairs, for functions that have to be far more exact than their result.
namespace apr::expansions {

/// The pair (high, low) of constants plus b, for |b| <= |high|.
template <class F> Pair<F> plus(double high, double low, Pair<F> b) {
  Pair<F> sum = fastTwoSum(high, b.high);
  return fastTwoSum(sum.high, sum.low + (b.low + low));
}

/// x = 2^exponent * m: the exponent, and log(m) with a relative error below 2^-66.
template <class F> struct LogParts {
  F exponent;
  Pair<F> mantissaLog;
};

/// Of positive finite x: 2 s (1 + w/3 + w^2/5 + w^3 rest(w)), s = (m-1)/(m+1), w = s^2, the first
/// three terms in pairs.
template <class F> LogParts<F> logParts(F x) {
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
  return {exponent, {series.high + series.high, series.low + series.low}};
}

/// log(x) of positive finite x with a relative error below 2^-66.
template <class F> Pair<F> logPair(F x) {
  auto [exponent, mantissaLog] = logParts(x);
  // exponent * ln2: the leading part is exact, and either 0 or the larger term.
  Pair<F> top = fastTwoSum(F(exponent * kLn2High), mantissaLog.high);
  Pair<F> middle = twoProduct(exponent, splat(x, kLn2LowHigh));
  Pair<F> joined = twoSum(top.high, middle.high);
  F rest = (joined.low + top.low) + ((middle.low + exponent * kLn2LowLow) + mantissaLog.low);
  return fastTwoSum(joined.high, rest);
}

/// log2(x) likewise; exact for powers of two.
template <class F> Pair<F> log2Pair(F x) {
  auto [exponent, mantissaLog] = logParts(x);
  Pair<F> fraction = product(mantissaLog, Pair<F>{splat(x, kLog2E), splat(x, kLog2ERest)});
  Pair<F> sum = twoSum(exponent, fraction.high);
  return fastTwoSum(sum.high, sum.low + fraction.low);
}

} // namespace apr::expansions
