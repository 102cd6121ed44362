// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// bf16: the upper half of an f32. It is a dtype to store and to move, not to compute with.
#pragma once

#include <cstdint>

namespace apr {

inline constexpr uint16_t kBfloatNaN = 0x7fc0;

/// The nearest bf16, ties to even, as bits; NaN gives the canonical one.
uint16_t roundToBfloat(double value);
uint16_t roundToBfloat(int64_t value);

/// The value of the bits; every bf16 is an f32.
float bfloatValue(uint16_t bits);

constexpr bool isBfloatNaN(uint16_t bits) { return (bits & 0x7fff) > 0x7f80; }

} // namespace apr
