// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/rational.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace apr::frontend {

// ---- Natural ----

Natural::Natural(uint64_t value) {
  for (; value != 0; value >>= 32)
    limbs_.push_back(static_cast<uint32_t>(value));
}

void Natural::trim() {
  while (!limbs_.empty() && limbs_.back() == 0)
    limbs_.pop_back();
}

size_t Natural::bitLength() const {
  if (limbs_.empty())
    return 0;
  return limbs_.size() * 32 - static_cast<size_t>(std::countl_zero(limbs_.back()));
}

bool Natural::bit(size_t index) const {
  size_t limb = index / 32;
  return limb < limbs_.size() && ((limbs_[limb] >> (index % 32)) & 1) != 0;
}

std::optional<uint64_t> Natural::asUint64() const {
  if (limbs_.size() > 2)
    return std::nullopt;
  uint64_t value = 0;
  for (size_t i = limbs_.size(); i-- > 0;)
    value = value << 32 | limbs_[i];
  return value;
}

Natural operator+(const Natural &a, const Natural &b) {
  Natural sum;
  uint64_t carry = 0;
  for (size_t i = 0; i < std::max(a.limbs_.size(), b.limbs_.size()) || carry != 0; ++i) {
    carry += i < a.limbs_.size() ? a.limbs_[i] : 0;
    carry += i < b.limbs_.size() ? b.limbs_[i] : 0;
    sum.limbs_.push_back(static_cast<uint32_t>(carry));
    carry >>= 32;
  }
  return sum;
}

Natural operator-(const Natural &a, const Natural &b) {
  Natural difference = a;
  int64_t borrow = 0;
  for (size_t i = 0; i < difference.limbs_.size(); ++i) {
    int64_t limb = static_cast<int64_t>(a.limbs_[i]) + borrow -
                   (i < b.limbs_.size() ? static_cast<int64_t>(b.limbs_[i]) : 0);
    difference.limbs_[i] = static_cast<uint32_t>(limb);
    borrow = limb < 0 ? -1 : 0;
  }
  difference.trim();
  return difference;
}

Natural operator*(const Natural &a, const Natural &b) {
  Natural product;
  product.limbs_.assign(a.limbs_.size() + b.limbs_.size(), 0);
  for (size_t i = 0; i < a.limbs_.size(); ++i) {
    uint64_t carry = 0;
    for (size_t j = 0; j < b.limbs_.size(); ++j) {
      carry += static_cast<uint64_t>(a.limbs_[i]) * b.limbs_[j] + product.limbs_[i + j];
      product.limbs_[i + j] = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    product.limbs_[i + b.limbs_.size()] = static_cast<uint32_t>(carry);
  }
  product.trim();
  return product;
}

Natural Natural::shiftedLeft(size_t bits) const {
  Natural shifted;
  shifted.limbs_.assign(limbs_.size() + bits / 32 + 1, 0);
  for (size_t i = 0; i < limbs_.size(); ++i) {
    uint64_t wide = static_cast<uint64_t>(limbs_[i]) << (bits % 32);
    shifted.limbs_[i + bits / 32] |= static_cast<uint32_t>(wide);
    shifted.limbs_[i + bits / 32 + 1] |= static_cast<uint32_t>(wide >> 32);
  }
  shifted.trim();
  return shifted;
}

Natural Natural::shiftedRight(size_t bits) const {
  Natural shifted;
  for (size_t i = bits / 32; i < limbs_.size(); ++i) {
    uint64_t wide = limbs_[i];
    if (i + 1 < limbs_.size())
      wide |= static_cast<uint64_t>(limbs_[i + 1]) << 32;
    shifted.limbs_.push_back(static_cast<uint32_t>(wide >> (bits % 32)));
  }
  shifted.trim();
  return shifted;
}

/// Schoolbook division bit by bit, from the first bit where the quotient can be 1: the numbers of a
/// program are short, and the quotients in a greatest common divisor are tiny.
Natural::Division Natural::dividedBy(const Natural &divisor) const {
  Division result;
  result.quotient.limbs_.assign(limbs_.size(), 0);
  size_t known = std::min(bitLength(), divisor.bitLength() - 1);
  size_t unknown = bitLength() - known;
  result.remainder = shiftedRight(unknown);
  for (size_t i = unknown; i-- > 0;) {
    result.remainder = result.remainder.shiftedLeft(1);
    if (bit(i))
      result.remainder = result.remainder + Natural(1);
    if (compare(result.remainder, divisor) < 0)
      continue;
    result.remainder = result.remainder - divisor;
    result.quotient.limbs_[i / 32] |= 1u << (i % 32);
  }
  result.quotient.trim();
  return result;
}

int Natural::compare(const Natural &a, const Natural &b) {
  if (a.limbs_.size() != b.limbs_.size())
    return a.limbs_.size() < b.limbs_.size() ? -1 : 1;
  for (size_t i = a.limbs_.size(); i-- > 0;)
    if (a.limbs_[i] != b.limbs_[i])
      return a.limbs_[i] < b.limbs_[i] ? -1 : 1;
  return 0;
}

// ---- Rational ----

namespace {

Natural greatestCommonDivisor(Natural a, Natural b) {
  while (!b.isZero()) {
    Natural remainder = a.dividedBy(b).remainder;
    a = std::move(b);
    b = std::move(remainder);
  }
  return a;
}

Natural powerOfTen(uint32_t exponent) {
  Natural power = 1;
  for (uint32_t i = 0; i < exponent; ++i)
    power = power * Natural(10);
  return power;
}

} // namespace

Rational::Rational(int64_t value)
    : negative_(value < 0),
      numerator_(value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value)) {}

Result<Rational> Rational::make(bool negative, Natural numerator, Natural denominator) {
  if (numerator.bitLength() > 2 * kMaximumBits || denominator.bitLength() > 2 * kMaximumBits)
    return Error{"the exact value of this constant has too many digits"};
  Natural divisor = greatestCommonDivisor(numerator, denominator);
  Rational result;
  bool isReduced = Natural::compare(divisor, Natural(1)) == 0;
  result.numerator_ = isReduced ? std::move(numerator) : numerator.dividedBy(divisor).quotient;
  result.denominator_ =
      isReduced ? std::move(denominator) : denominator.dividedBy(divisor).quotient;
  result.negative_ = negative && !result.numerator_.isZero();
  if (result.numerator_.bitLength() > kMaximumBits ||
      result.denominator_.bitLength() > kMaximumBits)
    return Error{"the exact value of this constant has too many digits"};
  return result;
}

Result<Rational> Rational::parse(std::string_view text) {
  constexpr int64_t kMaximumExponent = 400;
  if (text.size() > 400)
    return Error{"a number of more than 400 characters"};
  Natural digits;
  int64_t exponent = 0;
  size_t i = 0;
  bool afterPoint = false;
  for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; ++i) {
    if (text[i] == '.') {
      afterPoint = true;
      continue;
    }
    digits = digits * Natural(10) + Natural(static_cast<uint64_t>(text[i] - '0'));
    exponent -= afterPoint;
  }
  int64_t written = 0;
  bool negativeExponent = false;
  for (++i; i < text.size(); ++i) {
    if (text[i] == '-' || text[i] == '+')
      negativeExponent = text[i] == '-';
    else if (written <= kMaximumExponent)
      written = written * 10 + (text[i] - '0');
  }
  if (written > kMaximumExponent)
    return Error{fmt::format("an exponent beyond {}", kMaximumExponent)};
  exponent += negativeExponent ? -written : written;
  if (exponent >= 0)
    return make(false, digits * powerOfTen(static_cast<uint32_t>(exponent)), 1);
  return make(false, digits, powerOfTen(static_cast<uint32_t>(-exponent)));
}

Rational Rational::pi() {
  static const Rational value = *parse("3.14159265358979323846264338327950288419716939937510"
                                       "58209749445923078164062862089986280348253421170680");
  return value;
}

bool Rational::isInteger() const { return Natural::compare(denominator_, Natural(1)) == 0; }

std::optional<int64_t> Rational::asInt64() const {
  auto magnitude = numerator_.asUint64();
  if (!isInteger() || !magnitude)
    return std::nullopt;
  constexpr uint64_t kLimit = 1ull << 63;
  if (negative_ ? *magnitude > kLimit : *magnitude >= kLimit)
    return std::nullopt;
  return static_cast<int64_t>(negative_ ? 0 - *magnitude : *magnitude);
}

Rational Rational::negated() const {
  Rational result = *this;
  result.negative_ = !negative_ && !isZero();
  return result;
}

Result<Rational> Rational::add(const Rational &a, const Rational &b) {
  Natural left = a.numerator_ * b.denominator_;
  Natural right = b.numerator_ * a.denominator_;
  Natural denominator = a.denominator_ * b.denominator_;
  if (a.negative_ == b.negative_)
    return make(a.negative_, left + right, std::move(denominator));
  if (Natural::compare(left, right) >= 0)
    return make(a.negative_, left - right, std::move(denominator));
  return make(b.negative_, right - left, std::move(denominator));
}

Result<Rational> Rational::subtract(const Rational &a, const Rational &b) {
  return add(a, b.negated());
}

Result<Rational> Rational::multiply(const Rational &a, const Rational &b) {
  return make(a.negative_ != b.negative_, a.numerator_ * b.numerator_,
              a.denominator_ * b.denominator_);
}

Result<Rational> Rational::divide(const Rational &a, const Rational &b) {
  if (b.isZero())
    return Error{"division by zero"};
  return make(a.negative_ != b.negative_, a.numerator_ * b.denominator_,
              a.denominator_ * b.numerator_);
}

Result<Rational> Rational::floorDivide(const Rational &a, const Rational &b) {
  Result<Rational> quotient = divide(a, b);
  if (!quotient)
    return quotient;
  Natural::Division division = quotient->numerator_.dividedBy(quotient->denominator_);
  if (quotient->negative_ && !division.remainder.isZero())
    division.quotient = division.quotient + Natural(1);
  return make(quotient->negative_, std::move(division.quotient), 1);
}

Result<Rational> Rational::power(const Rational &base, int64_t exponent) {
  if (exponent < 0) {
    if (base.isZero())
      return Error{"zero to a negative power"};
    Result<Rational> inverse = divide(Rational(1), base);
    if (!inverse || exponent == std::numeric_limits<int64_t>::min())
      return Error{"the exact value of this constant has too many digits"};
    return power(*inverse, -exponent);
  }
  Rational result = 1;
  Rational square = base;
  while (exponent != 0) {
    if ((exponent & 1) != 0) {
      Result<Rational> product = multiply(result, square);
      if (!product)
        return product;
      result = std::move(*product);
    }
    exponent >>= 1;
    if (exponent == 0)
      break;
    Result<Rational> next = multiply(square, square);
    if (!next)
      return next;
    square = std::move(*next);
  }
  return result;
}

int Rational::compare(const Rational &a, const Rational &b) {
  if (a.negative_ != b.negative_)
    return a.negative_ ? -1 : 1;
  int magnitude = Natural::compare(a.numerator_ * b.denominator_, b.numerator_ * a.denominator_);
  return a.negative_ ? -magnitude : magnitude;
}

/// Rounds to `precision` bits, or fewer where the result is subnormal: 2^minimumExponent is the
/// smallest positive number of the format.
double Rational::round(int precision, int minimumExponent) const {
  if (isZero())
    return 0;
  // A quotient of more bits than any precision; the remainder only says "and a bit more".
  int64_t shift = 70 - (static_cast<int64_t>(numerator_.bitLength()) -
                        static_cast<int64_t>(denominator_.bitLength()));
  Natural::Division division =
      shift >= 0 ? numerator_.shiftedLeft(static_cast<size_t>(shift)).dividedBy(denominator_)
                 : numerator_.dividedBy(denominator_.shiftedLeft(static_cast<size_t>(-shift)));
  bool sticky = !division.remainder.isZero();
  auto bits = static_cast<int64_t>(division.quotient.bitLength());
  int64_t exponent = bits - 1 - shift;
  int64_t kept = std::min<int64_t>(precision, exponent - minimumExponent + 1);
  if (kept < 0)
    return negative_ ? -0.0 : 0.0;
  auto dropped = static_cast<size_t>(bits - kept);
  Natural mantissa = division.quotient.shiftedRight(dropped);
  bool half = division.quotient.bit(dropped - 1);
  for (size_t i = 0; i + 1 < dropped && !sticky; ++i)
    sticky = division.quotient.bit(i);
  if (half && (sticky || mantissa.isOdd()))
    mantissa = mantissa + Natural(1);
  auto whole = static_cast<double>(*mantissa.asUint64());
  double magnitude = std::ldexp(whole, static_cast<int>(static_cast<int64_t>(dropped) - shift));
  return negative_ ? -magnitude : magnitude;
}

double Rational::toDouble() const { return round(53, -1074); }

float Rational::toFloat() const {
  // Exact in double but for values that are infinite in float anyway.
  double value = round(24, -149);
  if (std::abs(value) > static_cast<double>(std::numeric_limits<float>::max()))
    return value < 0 ? -std::numeric_limits<float>::infinity()
                     : std::numeric_limits<float>::infinity();
  return static_cast<float>(value);
}

std::string Rational::str() const {
  auto numerator = numerator_.asUint64();
  auto denominator = denominator_.asUint64();
  if (isInteger() && numerator)
    return fmt::format("{}{}", negative_ ? "-" : "", *numerator);
  double value = toDouble();
  std::string decimal = fmt::format("{}", value);
  Result<Rational> back = parse(decimal[0] == '-' ? decimal.substr(1) : decimal);
  bool isShort =
      std::isfinite(value) && back && compare(negative_ ? back->negated() : *back, *this) == 0;
  if (isShort || !numerator || !denominator)
    return decimal;
  return fmt::format("{}{}/{}", negative_ ? "-" : "", *numerator, *denominator);
}

} // namespace apr::frontend
