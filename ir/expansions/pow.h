// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/expansions/formulas.h"

namespace apr::expansions {

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
