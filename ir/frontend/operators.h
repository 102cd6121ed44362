// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/frontend/elaborator.h"

namespace apr::frontend {

/// The operator as the source writes it.
std::string_view spelling(BinaryOp op);

/// A dim as a value: a number where it is constant.
Value valueOf(const Dim &dim);

/// True of exact numbers and dims.
inline bool isConstant(const Value &value) {
  return value.is<NumberValue>() || value.is<DimValue>();
}

} // namespace apr::frontend
