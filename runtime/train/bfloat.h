// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// bf16, the upper half of an f32.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace apr::train {

inline float bfloatValue(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

/// The nearest bf16, ties to even.
inline std::uint16_t roundToBfloat(double value) {
  if (std::isnan(value))
    return 0x7fc0;
  int exponent = 0;
  std::frexp(value, &exponent);
  const int quantum = std::max(exponent - 8, -133);
  const double rounded = std::isinf(value) || value == 0
                             ? value
                             : std::ldexp(std::nearbyint(std::ldexp(value, -quantum)), quantum);
  const double greatest = std::abs(rounded) >= 0x1p128 ? std::copysign(INFINITY, value) : rounded;
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(static_cast<float>(greatest)) >>
                                    16);
}

} // namespace apr::train
