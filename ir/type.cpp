// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/type.h"

namespace apr {

std::string_view name(DType dtype) {
  switch (dtype) {
  case DType::F32:
    return "f32";
  case DType::F64:
    return "f64";
  case DType::I32:
    return "i32";
  case DType::I64:
    return "i64";
  case DType::Bool:
    return "bool";
  case DType::U8:
    return "u8";
  case DType::BF16:
    return "bf16";
  }
  return "";
}

std::optional<DType> findDType(std::string_view text) {
  for (DType dtype : kAllDTypes)
    if (name(dtype) == text)
      return dtype;
  return std::nullopt;
}

uint32_t byteSize(DType dtype) {
  switch (dtype) {
  case DType::F64:
  case DType::I64:
    return 8;
  case DType::F32:
  case DType::I32:
    return 4;
  case DType::BF16:
    return 2;
  case DType::Bool:
  case DType::U8:
    return 1;
  }
  return 0;
}

std::string str(const Type &type) {
  std::string text(name(type.dtype));
  return type.shape.empty() ? text : text + str(type.shape);
}

Dim byteCount(const Type &type) { return elementCount(type.shape) * Dim(byteSize(type.dtype)); }

} // namespace apr
