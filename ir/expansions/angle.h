// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/expansions/coefficients.h"
#include "ir/expansions/pair_arithmetic.h"

#include <array>
#include <utility>

namespace apr::expansions {

/// An angle of quarter turns plus a fraction in radians, |fraction| <= pi/4.
template <class F> struct Angle {
  F quarters;
  Pair<F> fraction;
};

/// Takes from `rest` its multiple of the unit that `grid` = 1.5 * 2^52 units rounds to.
template <class F> F takeMultiple(F &rest, double grid) {
  F multiple = (rest + grid) - grid;
  rest = rest - multiple;
  return multiple;
}

/// Payne and Hanek's reduction for any finite x >= 0.
///
/// x = X * 2^(26 j) with X < 2^28, so x * 2/pi is a sum of X * piece[j + i] * 2^(-26 (i + 1)):
/// pieces before i = -2 contribute whole turns only, those after i = 5 less than 2^-128. X is split
/// into 26-bit halves to make every product exact; products are summed by exact bins of 26 bits,
/// for the fraction may cancel down to 2^-62.
template <class F> Angle<F> reduceAngle(F x) {
  auto exponent = shiftRight(bitsOf(x), 52);
  auto above = select(exponent > 1025, exponent - 1025, splat(exponent, 0));
  auto window = shiftRight(above * 2521, 16); // above / 26
  F inner = fromBits(bitsOf(x) - shiftLeft(window * 26, 52));
  F high = leadingBits(inner);
  F low = inner - high;
  std::array<F, 8> piece = [&]<size_t... i>(std::index_sequence<i...>) {
    return std::array<F, 8>{tableEntry(kTwoOverPiPieces, window + int64_t(i))...};
  }(std::make_index_sequence<8>());
  // Products with piece i = k - 2, in units of 2^(-26 (i + 1)).
  constexpr double kWeight[] = {0x1p26,  1.0,      0x1p-26,  0x1p-52,
                                0x1p-78, 0x1p-104, 0x1p-130, 0x1p-156};
  auto highTerm = [&](size_t k) { return high * piece[k] * kWeight[k]; };
  auto lowTerm = [&](size_t k) { return low * piece[k] * kWeight[k]; };

  // Multiples of 2^-50, modulo 4.
  F whole = modulo4(F(modulo4(lowTerm(0)) + modulo4(highTerm(1))));
  whole = modulo4(F(whole + modulo4(lowTerm(1))));
  whole = whole + modulo4(highTerm(2));
  F quarters = roundToInteger(whole);
  whole = whole - quarters;
  F l2 = lowTerm(2), h3 = highTerm(3);
  whole = (whole + takeMultiple(l2, 0x1.8p2)) + takeMultiple(h3, 0x1.8p2);
  // Multiples of 2^-76.
  F l3 = lowTerm(3), h4 = highTerm(4);
  F middle = (l2 + h3) + (takeMultiple(l3, 0x1.8p-24) + takeMultiple(h4, 0x1.8p-24));
  // Multiples of 2^-102, and the rest.
  F l4 = lowTerm(4), h5 = highTerm(5);
  F lower = (l3 + h4) + (takeMultiple(l4, 0x1.8p-50) + takeMultiple(h5, 0x1.8p-50));
  F rest = (l4 + h5) + (lowTerm(5) + highTerm(6)) + (lowTerm(6) + highTerm(7));

  F carry = roundToInteger(whole);
  Pair<F> first = twoSum(F(whole - carry), middle);
  Pair<F> second = twoSum(first.high, lower);
  Pair<F> turn = fastTwoSum(second.high, (second.low + first.low) + rest);
  // Times pi/2.
  F head = leadingBits(turn.high);
  F correction = head * kHalfPiLow + ((turn.high - head) + turn.low) * kHalfPi;
  Pair<F> radians = fastTwoSum(F(head * kHalfPiHigh), correction);
  auto isReduced = x <= kQuarterPi;
  F zero = splat(x, 0.0);
  return {select(isReduced, zero, F(quarters + carry)),
          {select(isReduced, x, radians.high), select(isReduced, zero, radians.low)}};
}

/// sin(angle + firstQuadrant * pi/2).
template <class F> F sineOf(Angle<F> angle, int64_t firstQuadrant) {
  auto [theta, thetaLow] = angle.fraction;
  F z = theta * theta;
  F sinTail = theta * (z * horner(z, kSinTail)) + thetaLow * (1.0 - z * 0.5);
  F head = leadingBits(theta);
  F halfSquare = head * head * 0.5;
  F cosHead = 1.0 - halfSquare;
  F squareRest = (theta - head) * (theta + head) * 0.5 + theta * thetaLow;
  F cosTail = ((1.0 - cosHead) - halfSquare) + (z * z * horner(z, kCosTail) - squareRest);
  auto quadrant = bitsOf(angle.quarters + kToInteger) + firstQuadrant;
  auto isCosine = (quadrant & 1) == 1;
  F value = select(isCosine, F(cosHead + cosTail), F(theta + sinTail));
  return fromBits(bitsOf(value) ^ shiftLeft(quadrant & 2, 62));
}

template <class F> F sin(F x) {
  F magnitude = absolute(x);
  F value = sineOf(reduceAngle(magnitude), 0);
  value = select(magnitude < 0x1p-27, magnitude, value);
  value = fromBits(bitsOf(value) ^ (bitsOf(x) & kSignBit));
  return select(magnitude < kInfinity, value, splat(x, kNaN));
}

template <class F> F cos(F x) {
  F magnitude = absolute(x);
  return select(magnitude < kInfinity, sineOf(reduceAngle(magnitude), 1), splat(x, kNaN));
}

/// The tangent of |theta| <= pi/4, or the cotangent.
template <class F, class M> Pair<F> tangentOf(Pair<F> angle, M isCotangent) {
  auto [theta, thetaLow] = angle;
  F z = theta * theta;
  Pair<F> sine = fastTwoSum(theta, theta * (z * horner(z, kSinTail)) + thetaLow * (1.0 - z * 0.5));
  F head = leadingBits(theta);
  F halfSquare = head * head * 0.5;
  F cosHead = 1.0 - halfSquare;
  F squareRest = (theta - head) * (theta + head) * 0.5 + theta * thetaLow;
  Pair<F> cosine = fastTwoSum(cosHead, ((1.0 - cosHead) - halfSquare) +
                                           (z * z * horner(z, kCosTail) - squareRest));
  return divided(selectPair(isCotangent, cosine, sine), selectPair(isCotangent, sine, cosine));
}

/// A turn by a quarter makes minus the cotangent of the tangent.
template <class F> F tan(F x) {
  F magnitude = absolute(x);
  Angle<F> angle = reduceAngle(magnitude);
  auto quadrant = bitsOf(angle.quarters + kToInteger) & 1;
  Pair<F> value = tangentOf(angle.fraction, quadrant == 1);
  F signedValue = fromBits(bitsOf(F(value.high + value.low)) ^ shiftLeft(quadrant, 63));
  signedValue = select(magnitude < 0x1p-27, magnitude, signedValue);
  signedValue = fromBits(bitsOf(signedValue) ^ (bitsOf(x) & kSignBit));
  return select(magnitude < kInfinity, signedValue, splat(x, kNaN));
}

} // namespace apr::expansions
