// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <bit>
#include <cstdint>

// Arithmetic of about 100 bits, for the interpreter's elementary functions.
namespace apr::exact {

/// The unevaluated sum high + low, |low| at most half an ulp of high: about 104 bits.
struct Double2 {
  double high = 0;
  double low = 0;

  Double2(double value) : high(value) {}
  Double2(double high, double low) : high(high), low(low) {}
};

inline Double2 exactSum(double a, double b) {
  double sum = a + b;
  double shadow = sum - a;
  return {sum, (a - (sum - shadow)) + (b - shadow)};
}

/// Dekker's product; splits each factor into halves of 26 bits.
inline Double2 exactProduct(double a, double b) {
  auto head = [](double x) {
    double scaled = x * 134217729.0;
    return scaled - (scaled - x);
  };
  double ah = head(a), al = a - ah, bh = head(b), bl = b - bh;
  double product = a * b;
  return {product, ((ah * bh - product) + ah * bl + al * bh) + al * bl};
}

inline Double2 operator+(Double2 a, Double2 b) {
  Double2 high = exactSum(a.high, b.high);
  Double2 low = exactSum(a.low, b.low);
  Double2 first = exactSum(high.high, high.low + low.high);
  return exactSum(first.high, first.low + low.low);
}

inline Double2 operator-(Double2 a) { return {-a.high, -a.low}; }
inline Double2 operator-(Double2 a, Double2 b) { return a + -b; }

inline Double2 operator*(Double2 a, Double2 b) {
  Double2 product = exactProduct(a.high, b.high);
  return exactSum(product.high, product.low + (a.high * b.low + a.low * b.high));
}

/// Long division: each step divides what the quotient so far leaves.
inline Double2 operator/(Double2 a, Double2 b) {
  double first = a.high / b.high;
  Double2 rest = a - b * Double2(first);
  double second = rest.high / b.high;
  rest = rest - b * Double2(second);
  return exactSum(first, second) + Double2(rest.high / b.high);
}

/// One step of Newton's method doubles the 53 bits of the root; x >= 0.
inline Double2 squareRoot(Double2 x) {
  if (x.high == 0)
    return 0.0;
  double root = __builtin_sqrt(x.high);
  Double2 rest = x - exactProduct(root, root);
  return exactSum(root, rest.high / (2 * root));
}

inline Double2 powerOf2(int exponent) {
  return std::bit_cast<double>(static_cast<uint64_t>(exponent + 1023) << 52);
}

/// Rounds to f32 once: first to odd in f64, which keeps 29 bits more, denormals included.
inline float roundOnce(Double2 x) {
  auto bits = std::bit_cast<uint64_t>(x.high);
  if (x.low != 0 && bits % 2 == 0)
    bits = (x.low > 0) == (x.high > 0) ? bits + 1 : bits - 1;
  return static_cast<float>(std::bit_cast<double>(bits));
}

} // namespace apr::exact
