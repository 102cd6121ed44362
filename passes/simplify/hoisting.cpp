// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An element-wise op of moved elements is the moved op: repeat, reshape and transpose afterwards.
// What was repeated is then computed once, and movements meet others that they merge with.
#include "passes/simplify/simplifier.h"

#include <algorithm>

namespace apr {
namespace {

/// A movement that stands before an element-wise op and could come after it.
struct Movement {
  OpKind kind;
  Attributes attributes;
  Shape from;
  Shape to;
};

std::optional<Movement> movementOf(const Simplifier &s, ValueId v) {
  for (OpKind kind : {OpKind::Broadcast, OpKind::Reshape, OpKind::Transpose})
    if (const Op *op = s.definedBy(v, kind))
      return Movement{kind, op->attributes, s.type(op->operands[0]).shape, s.type(v).shape};
  return std::nullopt;
}

bool isMovedBy(const Simplifier &s, ValueId v, const Movement &movement) {
  const Op *op = s.definedBy(v, movement.kind);
  return op && op->attributes == movement.attributes &&
         s.type(op->operands[0]).shape == movement.from;
}

/// How many trailing axes a reshape leaves alone.
size_t countKeptAxes(const Movement &reshape) {
  auto [end, unused] = std::mismatch(reshape.from.rbegin(), reshape.from.rend(),
                                     reshape.to.rbegin(), reshape.to.rend());
  return size_t(end - reshape.from.rbegin());
}

/// True for a broadcast along the axes that a reshape changes: a bias, say, added to rows that are
/// then split into batch and time. It can as well repeat in the shape before the reshape.
bool canRepeatBefore(const Simplifier &s, ValueId v, const Movement &reshape) {
  const Op *op = s.definedBy(v, OpKind::Broadcast);
  if (!op || reshape.kind != OpKind::Reshape)
    return false;
  auto firstKept = int64_t(reshape.to.size() - countKeptAxes(reshape));
  return std::ranges::all_of(op->attributes.integers(AttrKey::Axes),
                             [&](int64_t axis) { return axis >= firstKept; });
}

bool canUndo(const Simplifier &s, ValueId v, const Movement &movement) {
  return s.splatOf(v) || isMovedBy(s, v, movement) || canRepeatBefore(s, v, movement);
}

/// The value whose movement is `v`.
ValueId undo(Simplifier &s, ValueId v, const Movement &movement) {
  DType dtype = s.type(v).dtype;
  if (const Literal *element = s.splatOf(v))
    return s.constant({dtype, movement.from}, Literal(*element));
  if (isMovedBy(s, v, movement))
    return s.definedBy(v, movement.kind)->operands[0];
  const Op *broadcast = s.definedBy(v, OpKind::Broadcast);
  std::vector<int64_t> axes = broadcast->attributes.integers(AttrKey::Axes);
  for (int64_t &axis : axes)
    axis += int64_t(movement.from.size()) - int64_t(movement.to.size());
  return s.make({OpKind::Broadcast,
                 {broadcast->operands[0]},
                 {{AttrKey::Axes, axes}},
                 {dtype, movement.from}});
}

/// A movement that every operand can do without.
std::optional<Movement> findCommonMovement(const Simplifier &s, const Candidate &c) {
  for (ValueId operand : c.operands) {
    auto movement = movementOf(s, operand);
    if (movement &&
        std::ranges::all_of(c.operands, [&](ValueId v) { return canUndo(s, v, *movement); }))
      return movement;
  }
  return std::nullopt;
}

} // namespace

std::optional<ValueId> hoistOverMovement(Simplifier &s, const Candidate &c) {
  if (!isElementwise(c.kind))
    return std::nullopt;
  auto movement = findCommonMovement(s, c);
  if (!movement)
    return std::nullopt;
  Candidate inner{c.kind, {}, c.attributes, {c.type.dtype, movement->from}};
  for (ValueId operand : c.operands)
    inner.operands.push_back(undo(s, operand, *movement));
  ValueId result = s.make(std::move(inner));
  return s.make({movement->kind, {result}, std::move(movement->attributes), c.type});
}

} // namespace apr
