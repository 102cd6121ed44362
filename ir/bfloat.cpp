// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/bfloat.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace apr {

namespace {

constexpr int kPrecision = 8;        // significant bits
constexpr int kLeastExponent = -133; // of the smallest subnormal
constexpr double kOverflow = 0x1p128;

/// The bits of a value that bf16 holds.
uint16_t bitsOf(float value) { return static_cast<uint16_t>(std::bit_cast<uint32_t>(value) >> 16); }

} // namespace

uint16_t roundToBfloat(double value) {
  if (std::isnan(value))
    return kBfloatNaN;
  if (std::isinf(value) || value == 0)
    return bitsOf(static_cast<float>(value));
  int exponent = 0;
  std::frexp(value, &exponent);
  int quantum = std::max(exponent - kPrecision, kLeastExponent);
  double rounded = std::ldexp(std::nearbyint(std::ldexp(value, -quantum)), quantum);
  if (std::abs(rounded) >= kOverflow)
    return bitsOf(std::copysign(std::numeric_limits<float>::infinity(), static_cast<float>(value)));
  return bitsOf(static_cast<float>(rounded));
}

uint16_t roundToBfloat(int64_t value) {
  uint64_t magnitude = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  int excess = std::max(0, static_cast<int>(std::bit_width(magnitude)) - kPrecision);
  uint64_t kept = magnitude >> excess, rest = magnitude - (kept << excess);
  uint64_t half = excess == 0 ? 0 : uint64_t(1) << (excess - 1);
  if (excess > 0 && (rest > half || (rest == half && kept % 2 == 1)))
    ++kept;
  double rounded = std::ldexp(static_cast<double>(kept), excess);
  return roundToBfloat(value < 0 ? -rounded : rounded);
}

float bfloatValue(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

} // namespace apr
