// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/expansions/coefficients.h"
#include "ir/expansions/log_pair.h"

// The inverse of the error function. The f32 function of the code generator rounds the same pair.
namespace apr::expansions {

/// One of two polynomials.
template <class M, class F, size_t N>
F horner(F x, M isFirst, const double (&first)[N], const double (&second)[N]) {
  auto coefficient = [&](size_t k) {
    return select(isFirst, splat(x, first[k]), splat(x, second[k]));
  };
  F sum = coefficient(N - 1);
  for (size_t k = N - 1; k-- > 0;)
    sum = sum * x + coefficient(k);
  return sum;
}

/// For 0 < a < 1. Up to 1/2 a (sqrt(pi)/2 + a^2 P(a^2)); beyond, with r = sqrt(-log(1 - a)),
/// r + D(r): D hardly changes, and is its value at the low end of two ranges plus a quotient of
/// polynomials.
template <class F> Pair<F> erfinvPair(F a) {
  F z = a * a;
  Pair<F> slope = twoProduct(a, splat(a, kSqrtPiOver2));
  Pair<F> near =
      fastTwoSum(slope.high, slope.low + a * (z * horner(z, kErfinvTail) + kSqrtPiOver2Rest));

  Pair<F> level = logPair(F(1.0 - a));
  F root = squareRoot(-level.high);
  Pair<F> square = twoProduct(root, root);
  F rootRest = (((-level.high - square.high) - square.low) - level.low) / (root + root);
  auto isMiddle = root < kErfinvFarLow;
  auto chosen = [&](double middle, double far) {
    return select(isMiddle, splat(a, middle), splat(a, far));
  };
  F u = root - chosen(kErfinvMiddleLow, kErfinvFarLow);
  F change = u * horner(u, isMiddle, kErfinvMiddleNumerator, kErfinvFarNumerator) /
             horner(u, isMiddle, kErfinvMiddleDenominator, kErfinvFarDenominator);
  Pair<F> far = fastTwoSum(root, chosen(kErfinvMiddleStart, kErfinvFarStart));
  far = fastTwoSum(far.high, far.low + (rootRest + change +
                                        chosen(kErfinvMiddleStartRest, kErfinvFarStartRest)));
  return selectPair(a < 0.5, near, far);
}

template <class F> F erfinv(F x) {
  F magnitude = absolute(x);
  // A product of the smallest numbers needs room for its rest.
  auto isTiny = magnitude < 0x1p-800;
  Pair<F> value = erfinvPair(select(isTiny, F(magnitude * 0x1p200), magnitude));
  F rounded = value.high + value.low;
  rounded = select(isTiny, F(rounded * 0x1p-200), rounded);
  rounded = select(magnitude == 0.0, magnitude, rounded);
  rounded = select(magnitude == 1.0, splat(x, kInfinity), rounded);
  rounded = select(magnitude > 1.0, splat(x, kNaN), withSignOf(rounded, x));
  return select(x == x, rounded, x);
}

} // namespace apr::expansions
