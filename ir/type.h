// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/dim.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace apr {

/// Element types, in the numbering of the C ABI. A bool is stored as one byte, 0 or 1. BF16 is
/// stored and moved; nothing computes with it, so it counts as no float.
enum class DType : uint8_t { F32, F64, I32, I64, Bool, U8, BF16 };
inline constexpr DType kAllDTypes[] = {DType::F32, DType::F64,  DType::I32,
                                       DType::I64, DType::Bool, DType::U8,
                                       DType::BF16};

std::string_view name(DType dtype);
std::optional<DType> findDType(std::string_view name);
/// Size of a stored element in bytes.
uint32_t byteSize(DType dtype);
constexpr bool isFloat(DType d) { return d == DType::F32 || d == DType::F64; }
constexpr bool isInteger(DType d) { return d == DType::I32 || d == DType::I64 || d == DType::U8; }

/// A dense tensor type; no dims means a scalar.
struct Type {
  DType dtype = DType::F32;
  Shape shape;

  size_t rank() const { return shape.size(); }
  friend bool operator==(const Type &, const Type &) = default;
};

/// "f32[B,64]", or "f32" for a scalar.
std::string str(const Type &type);
/// Bytes of the dense row-major tensor.
Dim byteCount(const Type &type);

} // namespace apr
