// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Identities of conversions, and of ops that return their operand.
#include "passes/simplify/simplifier.h"

namespace apr {
namespace {

/// True where every value of `from` is one of `to`.
bool isLossless(DType from, DType to) {
  if (from == to || from == DType::Bool)
    return true;
  switch (from) {
  case DType::U8: // bf16 has 8 significant bits
    return to != DType::Bool;
  case DType::I32:
    return to == DType::I64 || to == DType::F64;
  case DType::BF16:
    return to == DType::F32 || to == DType::F64;
  case DType::F32:
    return to == DType::F64;
  default:
    return false;
  }
}

/// True where from → middle → to is from → to. Past a lossless first step the second sees the same
/// number; but an integer that went through a float saturates where the direct way wraps.
bool canSkip(DType from, DType middle, DType to) {
  bool saturates = isInteger(from) && isFloat(middle) && isInteger(to);
  return isLossless(from, middle) && (!saturates || isLossless(from, to));
}

std::optional<ValueId> simplifyConvert(Simplifier &s, const Candidate &c) {
  if (s.type(c.x()).dtype == c.type.dtype)
    return c.x();
  const Op *first = s.definedBy(c.x(), OpKind::Convert);
  if (!first)
    return std::nullopt;
  ValueId origin = first->operands[0];
  if (!canSkip(s.type(origin).dtype, s.type(c.x()).dtype, c.type.dtype))
    return std::nullopt;
  return s.make(OpKind::Convert, {origin}, c.type);
}

} // namespace

std::optional<ValueId> simplifyConversion(Simplifier &s, const Candidate &c) {
  switch (c.kind) {
  case OpKind::Convert:
    return simplifyConvert(s, c);
  case OpKind::StopGradient: // gradients are derived, so it has done its work
    return c.x();
  default:
    return std::nullopt;
  }
}

} // namespace apr
