// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An element-wise op of moved elements is the moved op: repeat, reshape and transpose afterwards.
// What was repeated is then computed once, and movements meet others that they merge with.
#include "passes/simplify/simplifier.h"

namespace apr {
namespace {

const Op *movementOf(const Simplifier &s, ValueId v) {
  for (OpKind kind : {OpKind::Broadcast, OpKind::Reshape, OpKind::Transpose})
    if (const Op *movement = s.definedBy(v, kind))
      return movement;
  return nullptr;
}

bool isSameMovement(const Simplifier &s, const Op &a, const Op &b) {
  return a.kind == b.kind && a.attributes == b.attributes &&
         s.type(a.operands[0]).shape == s.type(b.operands[0]).shape;
}

/// The movement that all operands share, leaving aside constants that are the same everywhere.
const Op *findCommonMovement(const Simplifier &s, const Candidate &c) {
  const Op *common = nullptr;
  for (ValueId operand : c.operands) {
    if (s.splatOf(operand))
      continue;
    const Op *movement = movementOf(s, operand);
    if (!movement || (common && !isSameMovement(s, *movement, *common)))
      return nullptr;
    common = movement;
  }
  return common;
}

} // namespace

std::optional<ValueId> hoistOverMovement(Simplifier &s, const Candidate &c) {
  if (!isElementwise(c.kind) || c.operands.empty())
    return std::nullopt;
  const Op *common = findCommonMovement(s, c);
  if (!common)
    return std::nullopt;
  // Copies: building ops moves the graph's own.
  OpKind movement = common->kind;
  Attributes attributes = common->attributes;
  Shape shape = s.type(common->operands[0]).shape;
  Candidate inner{c.kind, {}, c.attributes, {c.type.dtype, shape}};
  for (ValueId operand : c.operands) {
    if (const Literal *element = s.splatOf(operand))
      inner.operands.push_back(s.constant({element->dtype, shape}, Literal(*element)));
    else
      inner.operands.push_back(s.definedBy(operand, movement)->operands[0]);
  }
  ValueId result = s.make(std::move(inner));
  return s.make({movement, {result}, std::move(attributes), c.type});
}

} // namespace apr
