// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/interp/exact_math.h"

#include "ir/graph.h"

#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

namespace apr {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// The unevaluated sum high + low, |low| at most half an ulp of high: about 104 bits.
struct Double2 {
  double high = 0;
  double low = 0;

  Double2(double value) : high(value) {}
  Double2(double high, double low) : high(high), low(low) {}
};

Double2 exactSum(double a, double b) {
  double sum = a + b;
  double shadow = sum - a;
  return {sum, (a - (sum - shadow)) + (b - shadow)};
}

/// Dekker's product; splits each factor into halves of 26 bits.
Double2 exactProduct(double a, double b) {
  auto head = [](double x) {
    double scaled = x * 134217729.0;
    return scaled - (scaled - x);
  };
  double ah = head(a), al = a - ah, bh = head(b), bl = b - bh;
  double product = a * b;
  return {product, ((ah * bh - product) + ah * bl + al * bh) + al * bl};
}

Double2 operator+(Double2 a, Double2 b) {
  Double2 high = exactSum(a.high, b.high);
  Double2 low = exactSum(a.low, b.low);
  Double2 first = exactSum(high.high, high.low + low.high);
  return exactSum(first.high, first.low + low.low);
}

Double2 operator-(Double2 a) { return {-a.high, -a.low}; }
Double2 operator-(Double2 a, Double2 b) { return a + -b; }

Double2 operator*(Double2 a, Double2 b) {
  Double2 product = exactProduct(a.high, b.high);
  return exactSum(product.high, product.low + (a.high * b.low + a.low * b.high));
}

/// Long division: each step divides what the quotient so far leaves.
Double2 operator/(Double2 a, Double2 b) {
  double first = a.high / b.high;
  Double2 rest = a - b * Double2(first);
  double second = rest.high / b.high;
  rest = rest - b * Double2(second);
  return exactSum(first, second) + Double2(rest.high / b.high);
}

/// 1/k for the denominators of the series; 0 <= k < 1024.
const Double2 &reciprocal(int k) {
  static const std::vector<Double2> table = [] {
    std::vector<Double2> values(1024, Double2(0.0));
    for (int i = 1; i < 1024; ++i)
      values[static_cast<size_t>(i)] = Double2(1.0) / Double2(i);
    return values;
  }();
  return table[static_cast<size_t>(k)];
}

const Double2 kLn2{0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};
const Double2 kHalfPi{0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54};
const Double2 kTwoOverSqrtPi{0x1.20dd750429b6dp+0, 0x1.1ae3a914fed80p-56};

Double2 powerOf2(int exponent) {
  return std::bit_cast<double>(static_cast<uint64_t>(exponent + 1023) << 52);
}

/// Rounds to f32 once: first to odd in f64, which keeps 29 bits more, denormals included.
float roundOnce(Double2 x) {
  auto bits = std::bit_cast<uint64_t>(x.high);
  if (x.low != 0 && bits % 2 == 0)
    bits = (x.low > 0) == (x.high > 0) ? bits + 1 : bits - 1;
  return static_cast<float>(std::bit_cast<double>(bits));
}

/// e^r - 1 for |r| <= 1/2, by Taylor's series; relative to r where r is small.
Double2 expm1Series(Double2 r) {
  Double2 sum = 1.0;
  for (int k = 27; k >= 2; --k)
    sum = Double2(1.0) + r * sum * reciprocal(k);
  return r * sum;
}

int nearestInteger(double x) { return static_cast<int>(x + (x < 0 ? -0.5 : 0.5)); }

/// For |x| <= 200.
Double2 expm1Of(Double2 x) {
  int n = nearestInteger(x.high * 1.4426950408889634);
  Double2 power = expm1Series(x - Double2(n) * kLn2);
  return n == 0 ? power : powerOf2(n) * power + (powerOf2(n) - Double2(1.0));
}

Double2 expOf(Double2 x) { // 1 + (e^x - 1) would lose what is small
  int n = nearestInteger(x.high * 1.4426950408889634);
  return powerOf2(n) * (Double2(1.0) + expm1Series(x - Double2(n) * kLn2));
}

/// log(x) for x > 0, exact in the neighbourhood of 1: 2 atanh((m-1)/(m+1)) + e ln 2.
Double2 logOf(Double2 x) {
  int exponent = static_cast<int>(std::bit_cast<uint64_t>(x.high) >> 52) - 1023;
  if (x.high * powerOf2(-exponent).high > 1.4142135623730951)
    ++exponent;
  Double2 scale = powerOf2(-exponent);
  Double2 m{x.high * scale.high, x.low * scale.high};
  Double2 s = (m - Double2(1.0)) / (m + Double2(1.0));
  Double2 square = s * s;
  Double2 sum = reciprocal(47);
  for (int k = 45; k >= 1; k -= 2)
    sum = reciprocal(k) + square * sum;
  return Double2(exponent) * kLn2 + Double2(2.0) * s * sum;
}

/// erf(x) = 2/sqrt(pi) e^(-x^2) sum of 2^k x^(2k+1) / (1 3 5 ... (2k+1)), all terms positive.
Double2 erfOf(double x) {
  Double2 square = exactProduct(x, x), twice{2 * square.high, 2 * square.low};
  Double2 sum = 1.0;
  for (int k = 110; k >= 1; --k)
    sum = Double2(1.0) + twice * sum * reciprocal(2 * k + 1);
  return kTwoOverSqrtPi * expOf(-square) * Double2(x) * sum;
}

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

/// sin(x + firstQuarter * pi/2) for finite x >= 0.
Double2 sineOf(float x, int firstQuarter) {
  Angle angle = x < 0.5f ? Angle{0, Double2(x)} : reduceAngle(x);
  int quarter = (angle.quarters + firstQuarter) & 3;
  Double2 value = quarter % 2 == 0 ? sinSeries(angle.rest) : cosSeries(angle.rest);
  return quarter < 2 ? value : -value;
}

float exactExp(float x) {
  if (x > 90)
    return kInfinity;
  return x < -110 ? 0.0f : roundOnce(expOf(x));
}

float exactExpm1(float x) {
  if (x > 90)
    return kInfinity;
  if (x == 0)
    return x;
  return x < -50 ? -1.0f : roundOnce(expm1Of(x));
}

float exactLog(float x) {
  if (x <= 0)
    return x == 0 ? -kInfinity : kNaN;
  return x == kInfinity ? x : roundOnce(logOf(x));
}

float exactLog1p(float x) {
  if (x == 0 || x == kInfinity)
    return x;
  if (x <= -1)
    return x == -1 ? -kInfinity : kNaN;
  return roundOnce(logOf(exactSum(1.0, x)));
}

float exactTanh(float x) {
  if (x == 0)
    return x;
  if (x > 15 || x < -15)
    return x < 0 ? -1.0f : 1.0f;
  Double2 power = expm1Of(2.0 * x);
  return roundOnce(power / (power + Double2(2.0)));
}

float exactSigmoid(float x) {
  if (x > 50 || x < -110)
    return x < 0 ? 0.0f : 1.0f;
  return roundOnce(Double2(1.0) / (Double2(1.0) + expOf(-double(x))));
}

float exactErf(float x) {
  if (x == 0)
    return x;
  if (x > 4.5f || x < -4.5f)
    return x < 0 ? -1.0f : 1.0f;
  return roundOnce(erfOf(x));
}

float exactSin(float x) {
  if (x == 0)
    return x;
  if (x - x != 0)
    return kNaN;
  return x < 0 ? -roundOnce(sineOf(-x, 0)) : roundOnce(sineOf(x, 0));
}

float exactCos(float x) {
  if (x - x != 0)
    return kNaN;
  return roundOnce(sineOf(x < 0 ? -x : x, 1));
}

float exactSqrt(float x) { return x < 0 ? kNaN : __builtin_sqrtf(x); }

/// One Newton step doubles the 53 bits of the quotient.
float exactRsqrt(float x) {
  if (x == 0)
    return 1.0f / x;
  if (x < 0 || x == kInfinity)
    return x < 0 ? kNaN : 0.0f;
  Double2 y = 1.0 / __builtin_sqrt(double(x));
  return roundOnce(y + y * (Double2(1.0) - Double2(x) * y * y) * Double2(0.5));
}

} // namespace

bool hasExactElementary(OpKind kind) {
  switch (kind) {
  case OpKind::Sqrt:
  case OpKind::Rsqrt:
  case OpKind::Exp:
  case OpKind::Expm1:
  case OpKind::Log:
  case OpKind::Log1p:
  case OpKind::Sin:
  case OpKind::Cos:
  case OpKind::Tanh:
  case OpKind::Sigmoid:
  case OpKind::Erf:
    return true;
  default:
    return false;
  }
}

float exactElementary(OpKind kind, float x) {
  if (x != x)
    return kNaN;
  switch (kind) {
  case OpKind::Sqrt:
    return exactSqrt(x);
  case OpKind::Rsqrt:
    return exactRsqrt(x);
  case OpKind::Exp:
    return exactExp(x);
  case OpKind::Expm1:
    return exactExpm1(x);
  case OpKind::Log:
    return exactLog(x);
  case OpKind::Log1p:
    return exactLog1p(x);
  case OpKind::Sin:
    return exactSin(x);
  case OpKind::Cos:
    return exactCos(x);
  case OpKind::Tanh:
    return exactTanh(x);
  case OpKind::Sigmoid:
    return exactSigmoid(x);
  case OpKind::Erf:
    return exactErf(x);
  default:
    throw InternalError("exactElementary: not an f32 elementary function");
  }
}

} // namespace apr
