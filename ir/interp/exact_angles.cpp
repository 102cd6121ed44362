// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/interp/exact_series.h"

#include <array>
#include <cstddef>

namespace apr::exact {
namespace {

const Double2 kHalfPi{0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54};

/// The first 384 bits of 2/pi after the binary point, leading word first.
constexpr std::array<uint32_t, 12> kTwoOverPi = {0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0,
                                                 0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561,
                                                 0xb7246e3a, 0x424dd2e0, 0x06492eea, 0x09d1921c};

struct Angle {
  int quarters; ///< modulo 4
  Double2 rest; ///< |rest| <= pi/4
};

/// Splits x >= 1/2 by integer arithmetic: x * 2/pi to 256 bits after the point.
Angle reduceAngle(float x) {
  auto bits = std::bit_cast<uint32_t>(x);
  uint32_t mantissa = (bits & 0x7fffff) | 0x800000;
  int exponent = static_cast<int>(bits >> 23) - 150;
  std::array<uint32_t, 14> product{}; // words in ascending order, mantissa * 2/pi * 2^384
  uint64_t carry = 0;
  for (size_t i = 0; i < kTwoOverPi.size(); ++i) {
    carry += uint64_t(mantissa) * kTwoOverPi[kTwoOverPi.size() - 1 - i];
    product[i] = static_cast<uint32_t>(carry);
    carry >>= 32;
  }
  product[kTwoOverPi.size()] = static_cast<uint32_t>(carry);

  // The 32 bits that end below the bit `position`, which may be any.
  auto wordBelow = [&](int position) {
    int low = position - 32;
    auto index = static_cast<size_t>(low / 32);
    uint64_t pair = uint64_t(product[index + 1]) << 32 | product[index];
    return static_cast<uint32_t>(pair >> (low % 32));
  };
  int point = 384 - exponent;
  // Above the point: extract with two more positions, then keep the two bits.
  auto quarters = static_cast<int>(wordBelow(point + 2) >> 30);
  std::array<uint32_t, 7> fraction;
  for (size_t i = 0; i < fraction.size(); ++i)
    fraction[i] = wordBelow(point - 32 * static_cast<int>(i));
  bool isUpperHalf = fraction[0] >> 31 != 0;
  if (isUpperHalf) { // 1 - fraction, an ulp of the last word aside
    ++quarters;
    for (auto &word : fraction)
      word = ~word;
  }
  Double2 sum = 0.0;
  for (size_t i = fraction.size(); i-- > 0;)
    sum = Double2(fraction[i]) * powerOf2(-32 * (static_cast<int>(i) + 1)) + sum;
  sum = sum * kHalfPi;
  return {quarters & 3, isUpperHalf ? -sum : sum};
}

Double2 sinSeries(Double2 t) {
  Double2 square = t * t, sum = 1.0;
  for (int k = 28; k >= 2; k -= 2)
    sum = Double2(1.0) - square * sum * reciprocal(k * (k + 1));
  return t * sum;
}

Double2 cosSeries(Double2 t) {
  Double2 square = t * t, sum = 1.0;
  for (int k = 27; k >= 1; k -= 2)
    sum = Double2(1.0) - square * sum * reciprocal(k * (k + 1));
  return sum;
}

} // namespace

Double2 sineOf(float x, int firstQuarter) {
  Angle angle = x < 0.5f ? Angle{0, Double2(x)} : reduceAngle(x);
  int quarter = (angle.quarters + firstQuarter) & 3;
  Double2 value = quarter % 2 == 0 ? sinSeries(angle.rest) : cosSeries(angle.rest);
  return quarter < 2 ? value : -value;
}

Double2 tangentOf(float x) { return sineOf(x, 0) / sineOf(x, 1); }

Double2 arctangentOf(Double2 x) {
  if (x.high > 1)
    return kHalfPi - arctangentOf(Double2(1.0) / x);
  // atan(x) = 2 atan(x / (1 + sqrt(1 + x^2))), three times, down to 0.1.
  for (int i = 0; i < 3; ++i)
    x = x / (Double2(1.0) + squareRoot(Double2(1.0) + x * x));
  Double2 square = x * x, sum = reciprocal(41);
  for (int k = 39; k >= 1; k -= 2)
    sum = reciprocal(k) - square * sum;
  return Double2(8.0) * x * sum;
}

Double2 arcsineOf(double x) {
  if (x == 1)
    return kHalfPi;
  Double2 cosine = squareRoot((Double2(1.0) - Double2(x)) * (Double2(1.0) + Double2(x)));
  return arctangentOf(Double2(x) / cosine);
}

Double2 arccosineOf(double x) {
  if (x == -1)
    return Double2(2.0) * kHalfPi;
  Double2 ratio = (Double2(1.0) - Double2(x)) / (Double2(1.0) + Double2(x));
  return Double2(2.0) * arctangentOf(squareRoot(ratio));
}

} // namespace apr::exact
