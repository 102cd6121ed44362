// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/type.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace apr::aprun {

/// Where an element stands, "[3, 5]"; empty for a scalar.
std::string indexText(std::span<const std::int64_t> shape, std::size_t element);

/// An element of a tensor as the language writes it: the fewest digits that read back as the value,
/// nan, true.
std::string elementText(DType dtype, std::span<const std::byte> values, std::size_t element);

/// The same, of floats with the bits: "0.25 (bits 3e800000)".
std::string elementWithBits(DType dtype, std::span<const std::byte> values, std::size_t element);

} // namespace apr::aprun
