// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Identities of choice and logic, and of ops whose two operands are one value.
#include "passes/simplify/simplifier.h"

namespace apr {
namespace {

/// select(true, y, z) = y;  select(c, y, y) = y;  select(not c, y, z) = select(c, z, y).
std::optional<ValueId> simplifySelect(Simplifier &s, const Candidate &c) {
  if (c.y() == c.z() || s.isNumber(c.x(), 1))
    return c.y();
  if (s.isNumber(c.x(), 0))
    return c.z();
  if (const Op *negation = s.definedBy(c.x(), OpKind::Not))
    return s.make(OpKind::Select, {negation->operands[0], c.z(), c.y()}, c.type);
  return std::nullopt;
}

std::optional<ValueId> simplifyNot(Simplifier &s, const Candidate &c) {
  if (const Op *negation = s.definedBy(c.x(), OpKind::Not))
    return negation->operands[0];
  return std::nullopt;
}

} // namespace

std::optional<ValueId> simplifyLogic(Simplifier &s, const Candidate &c) {
  switch (c.kind) {
  case OpKind::Select:
    return simplifySelect(s, c);
  case OpKind::Not:
    return simplifyNot(s, c);
  case OpKind::Min:
  case OpKind::Max:
  case OpKind::And:
  case OpKind::Or:
    return c.x() == c.y() ? std::optional(c.x()) : std::nullopt;
  default:
    return std::nullopt;
  }
}

} // namespace apr
