// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/interp/exact_series.h"

#include <cstddef>
#include <vector>

namespace apr::exact {
namespace {

const Double2 kLn2{0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};
const Double2 kTwoOverSqrtPi{0x1.20dd750429b6dp+0, 0x1.1ae3a914fed80p-56};
const Double2 kInverseSqrtTwoPi{0x1.9884533d43651p-2, -0x1.cbc0d30ebfd15p-56};

/// e^r - 1 for |r| <= 1/2, by Taylor's series; relative to r where r is small.
Double2 expm1Series(Double2 r) {
  Double2 sum = 1.0;
  for (int k = 27; k >= 2; --k)
    sum = Double2(1.0) + r * sum * reciprocal(k);
  return r * sum;
}

int nearestInteger(double x) { return static_cast<int>(x + (x < 0 ? -0.5 : 0.5)); }

/// 2 atanh(s) for |s| <= 0.18.
Double2 twiceAtanh(Double2 s) {
  Double2 square = s * s;
  Double2 sum = reciprocal(47);
  for (int k = 45; k >= 1; k -= 2)
    sum = reciprocal(k) + square * sum;
  return Double2(2.0) * s * sum;
}

} // namespace

const Double2 &reciprocal(int k) {
  static const std::vector<Double2> table = [] {
    std::vector<Double2> values(1024, Double2(0.0));
    for (int i = 1; i < 1024; ++i)
      values[static_cast<size_t>(i)] = Double2(1.0) / Double2(i);
    return values;
  }();
  return table[static_cast<size_t>(k)];
}

Double2 expm1Of(Double2 x) {
  int n = nearestInteger(x.high * 1.4426950408889634);
  Double2 power = expm1Series(x - Double2(n) * kLn2);
  return n == 0 ? power : powerOf2(n) * power + (powerOf2(n) - Double2(1.0));
}

Double2 expOf(Double2 x) { // 1 + (e^x - 1) would lose what is small
  int n = nearestInteger(x.high * 1.4426950408889634);
  return powerOf2(n) * (Double2(1.0) + expm1Series(x - Double2(n) * kLn2));
}

namespace {

/// x = 2^exponent * m with m about [1/sqrt(2), sqrt(2)]; gives 2 atanh((m-1)/(m+1)), which is log
/// m.
Double2 logOfMantissa(Double2 x, int &exponent) {
  exponent = static_cast<int>(std::bit_cast<uint64_t>(x.high) >> 52) - 1023;
  if (x.high * powerOf2(-exponent).high > 1.4142135623730951)
    ++exponent;
  Double2 scale = powerOf2(-exponent);
  Double2 m{x.high * scale.high, x.low * scale.high};
  Double2 s = (m - Double2(1.0)) / (m + Double2(1.0));
  return twiceAtanh(s);
}

} // namespace

Double2 logOf(Double2 x) {
  int exponent = 0;
  Double2 mantissa = logOfMantissa(x, exponent);
  return Double2(exponent) * kLn2 + mantissa;
}

Double2 log2Of(Double2 x) {
  int exponent = 0;
  Double2 mantissa = logOfMantissa(x, exponent);
  return Double2(exponent) + mantissa / kLn2;
}

Double2 log1pOf(Double2 x) {
  return x.high < 0.25 ? twiceAtanh(x / (x + Double2(2.0))) : logOf(x + Double2(1.0));
}

Double2 exp2Of(double x) {
  int n = nearestInteger(x);
  return powerOf2(n) * (Double2(1.0) + expm1Series(Double2(x - n) * kLn2));
}

/// erf(x) = 2/sqrt(pi) e^(-x^2) sum of 2^k x^(2k+1) / (1 3 5 ... (2k+1)), all terms positive.
Double2 erfOf(Double2 x) {
  Double2 square = x * x, twice{2 * square.high, 2 * square.low};
  Double2 sum = 1.0;
  for (int k = 110; k >= 1; --k)
    sum = Double2(1.0) + twice * sum * reciprocal(2 * k + 1);
  return kTwoOverSqrtPi * expOf(-square) * x * sum;
}

namespace {

/// Within 1/400 of the inverse of erf: its series, and Winitzki's formula where x is large.
double roughInverseErf(double x) {
  double z = x * x;
  if (x < 0.5)
    return x * (0.886227 + z * (0.232014 + z * (0.127556 + z * 0.0865)));
  double level = logOf(Double2(1.0) - exactProduct(x, x)).high;
  double sum = 4.3307 + level / 2; // 2 / (0.147 pi)
  return __builtin_sqrt(__builtin_sqrt(sum * sum - level / 0.147) - sum);
}

} // namespace

/// Halley's method on erf(y) - x triples the correct digits in each of three steps.
Double2 inverseErfOf(double x) {
  Double2 y = roughInverseErf(x);
  for (int i = 0; i < 3; ++i) {
    Double2 newton = (erfOf(y) - Double2(x)) / (kTwoOverSqrtPi * expOf(-(y * y)));
    y = y - newton / (Double2(1.0) + y * newton);
  }
  return y;
}

Double2 normalOf(double x) {
  double a = x < 0 ? -x : x;
  Double2 square = exactProduct(a, a), half{square.high / 2, square.low / 2};
  Double2 density = expOf(-half) * kInverseSqrtTwoPi;
  if (a < 3) { // 1/2 + density * sum of a^(2k+1) / (1 3 5 ... (2k+1))
    Double2 sum = 1.0;
    for (int k = 55; k >= 1; --k)
      sum = Double2(1.0) + square * sum * reciprocal(2 * k + 1);
    Double2 area = density * Double2(a) * sum;
    return x < 0 ? Double2(0.5) - area : Double2(0.5) + area;
  }
  // The continued fraction a + 1/(a + 2/(a + 3/(a + ...))) of density / area.
  Double2 fraction = a;
  for (int k = 100; k >= 1; --k)
    fraction = Double2(a) + Double2(k) / fraction;
  Double2 tail = density / fraction;
  return x < 0 ? tail : Double2(1.0) - tail;
}

} // namespace apr::exact
