// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace apr::frontend {

/// A non-negative integer of any size, little-endian in base 2^32 without leading zeros.
class Natural {
public:
  Natural(uint64_t value = 0);

  bool isZero() const { return limbs_.empty(); }
  bool isOdd() const { return !limbs_.empty() && (limbs_[0] & 1) != 0; }
  size_t bitLength() const;
  bool bit(size_t index) const;
  std::optional<uint64_t> asUint64() const;

  friend Natural operator+(const Natural &a, const Natural &b);
  /// Requires a >= b.
  friend Natural operator-(const Natural &a, const Natural &b);
  friend Natural operator*(const Natural &a, const Natural &b);
  Natural shiftedLeft(size_t bits) const;
  Natural shiftedRight(size_t bits) const;
  struct Division;
  /// Requires divisor > 0.
  Division dividedBy(const Natural &divisor) const;
  static int compare(const Natural &a, const Natural &b);

private:
  void trim();
  std::vector<uint32_t> limbs_;
};

struct Natural::Division {
  Natural quotient;
  Natural remainder;
};

/// An exact rational number in lowest terms: what constants of the language are until they meet a
/// dtype. Numerators and denominators are bounded; an operation that would pass the bound fails.
class Rational {
public:
  static constexpr size_t kMaximumBits = 2048;

  Rational(int64_t value = 0);
  /// Digits with an optional fraction and exponent; an error where it is out of bounds.
  static Result<Rational> parse(std::string_view text);
  static Rational pi();

  bool isInteger() const;
  bool isZero() const { return numerator_.isZero(); }
  bool isNegative() const { return negative_; }
  /// The value where it is an integer that fits.
  std::optional<int64_t> asInt64() const;

  Rational negated() const;
  static Result<Rational> add(const Rational &a, const Rational &b);
  static Result<Rational> subtract(const Rational &a, const Rational &b);
  static Result<Rational> multiply(const Rational &a, const Rational &b);
  /// The divisor must not be zero.
  static Result<Rational> divide(const Rational &a, const Rational &b);
  static Result<Rational> floorDivide(const Rational &a, const Rational &b);
  static Result<Rational> power(const Rational &base, int64_t exponent);
  static int compare(const Rational &a, const Rational &b);

  /// Rounded once, to nearest even.
  double toDouble() const;
  float toFloat() const;
  /// "3", "1/3", or a decimal where it is short.
  std::string str() const;

private:
  static Result<Rational> make(bool negative, Natural numerator, Natural denominator);
  double round(int precision, int minimumExponent) const;

  bool negative_ = false;
  Natural numerator_;
  Natural denominator_ = 1;
};

} // namespace apr::frontend
