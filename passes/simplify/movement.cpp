// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Identities of ops that move elements without computing: chains of one kind become one op, and
// what moves nothing goes away.
#include "passes/simplify/simplifier.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace apr {
namespace {

bool isIdentityPermutation(const std::vector<int64_t> &perm) {
  for (size_t i = 0; i < perm.size(); ++i)
    if (perm[i] != int64_t(i))
      return false;
  return true;
}

/// Axis i of the result is axis inner[outer[i]] of the operand.
std::vector<int64_t> compose(const std::vector<int64_t> &inner, const std::vector<int64_t> &outer) {
  std::vector<int64_t> composed;
  for (int64_t axis : outer)
    composed.push_back(inner[size_t(axis)]);
  return composed;
}

std::optional<ValueId> simplifyReshape(Simplifier &s, const Candidate &c) {
  if (const Op *inner = s.definedBy(c.x(), OpKind::Reshape))
    return s.make(OpKind::Reshape, {inner->operands[0]}, c.type);
  return std::nullopt;
}

std::optional<ValueId> simplifyTranspose(Simplifier &s, const Candidate &c) {
  const std::vector<int64_t> &perm = c.attributes.integers(AttrKey::Perm);
  if (isIdentityPermutation(perm))
    return c.x();
  const Op *inner = s.definedBy(c.x(), OpKind::Transpose);
  if (!inner)
    return std::nullopt;
  Attributes attributes{{AttrKey::Perm, compose(inner->attributes.integers(AttrKey::Perm), perm)}};
  return s.make({OpKind::Transpose, {inner->operands[0]}, std::move(attributes), c.type});
}

/// Operand axis i goes to result axis axes[i], of the inner and then of the outer broadcast.
std::optional<ValueId> simplifyBroadcast(Simplifier &s, const Candidate &c) {
  const Op *inner = s.definedBy(c.x(), OpKind::Broadcast);
  if (!inner)
    return std::nullopt;
  Attributes attributes{{AttrKey::Axes, compose(c.attributes.integers(AttrKey::Axes),
                                                inner->attributes.integers(AttrKey::Axes))}};
  return s.make({OpKind::Broadcast, {inner->operands[0]}, std::move(attributes), c.type});
}

bool isAllZero(const Shape &shape) {
  return std::ranges::all_of(shape, [](const Dim &dim) { return dim == Dim(0); });
}

bool isAllOne(const std::vector<int64_t> &stride) {
  return std::ranges::all_of(stride, [](int64_t n) { return n == 1; });
}

bool isExactIn(DType dtype, int64_t value) {
  switch (dtype) {
  case DType::F32:
    return value <= int64_t(1) << 24;
  case DType::F64:
    return value <= int64_t(1) << 53;
  case DType::I32:
    return value <= INT32_MAX;
  case DType::I64:
    return true;
  default:
    return false;
  }
}

/// One position of an iota is a number: how the frontend writes the value of a dim, once it is
/// bound.
std::optional<ValueId> sliceIota(Simplifier &s, const Candidate &c) {
  const Op *iota = s.definedBy(c.x(), OpKind::Iota);
  if (!iota)
    return std::nullopt;
  auto axis = size_t(iota->attributes.integer(AttrKey::Axis));
  auto position = c.attributes.dims(AttrKey::Start)[axis].asConstant();
  if (c.type.shape[axis] != Dim(1) || !position || !isExactIn(c.type.dtype, *position))
    return std::nullopt;
  Literal element = isFloat(c.type.dtype) ? Literal::splat(c.type.dtype, double(*position))
                                          : Literal::splatInteger(c.type.dtype, *position);
  return s.constant(c.type, std::move(element));
}

std::optional<ValueId> simplifySlice(Simplifier &s, const Candidate &c) {
  if (auto number = sliceIota(s, c))
    return number;
  bool isWhole = isAllZero(c.attributes.dims(AttrKey::Start)) &&
                 c.attributes.dims(AttrKey::Limit) == s.type(c.x()).shape &&
                 isAllOne(c.attributes.integers(AttrKey::Stride));
  return isWhole ? std::optional(c.x()) : std::nullopt;
}

std::optional<ValueId> simplifyPad(Simplifier &s, const Candidate &c) {
  bool isEmpty = isAllZero(c.attributes.dims(AttrKey::Low)) &&
                 isAllZero(c.attributes.dims(AttrKey::High)) &&
                 isAllOne(c.attributes.integers(AttrKey::Stride));
  if (isEmpty)
    return c.x();
  const Literal *element = s.splatOf(c.x()), *fill = s.splatOf(c.y());
  if (element && fill && *element == *fill)
    return s.constant(c.type, Literal(*fill));
  return std::nullopt;
}

/// Twice along an axis is not at all, and an axis of size 1 has no opposite order.
std::optional<ValueId> simplifyReverse(Simplifier &s, const Candidate &c) {
  const Op *inner = s.definedBy(c.x(), OpKind::Reverse);
  const auto &outer = c.attributes.integers(AttrKey::Axes);
  std::vector<int64_t> axes;
  if (inner)
    std::ranges::set_symmetric_difference(outer, inner->attributes.integers(AttrKey::Axes),
                                          std::back_inserter(axes));
  else
    axes = outer;
  std::erase_if(axes, [&](int64_t axis) { return c.type.shape[size_t(axis)] == Dim(1); });
  ValueId operand = inner ? inner->operands[0] : c.x();
  if (axes.empty())
    return operand;
  if (!inner && axes == outer)
    return std::nullopt;
  return s.make({OpKind::Reverse, {operand}, {{AttrKey::Axes, axes}}, c.type});
}

/// Whatever moves, a constant that is the same everywhere stays so.
std::optional<ValueId> moveSplat(Simplifier &s, const Candidate &c) {
  const Literal *element = s.splatOf(c.x());
  return element ? std::optional(s.constant(c.type, Literal(*element))) : std::nullopt;
}

bool movesOneOperand(OpKind kind) {
  return kind == OpKind::Reshape || kind == OpKind::Transpose || kind == OpKind::Broadcast ||
         kind == OpKind::Slice || kind == OpKind::Reverse;
}

} // namespace

std::optional<ValueId> simplifyMovement(Simplifier &s, const Candidate &c) {
  if (movesOneOperand(c.kind)) {
    if (auto constant = moveSplat(s, c))
      return constant;
    if (c.kind != OpKind::Transpose && c.kind != OpKind::Slice && c.kind != OpKind::Reverse &&
        s.type(c.x()) == c.type)
      return c.x();
  }
  switch (c.kind) {
  case OpKind::Reshape:
    return simplifyReshape(s, c);
  case OpKind::Transpose:
    return simplifyTranspose(s, c);
  case OpKind::Broadcast:
    return simplifyBroadcast(s, c);
  case OpKind::Slice:
    return simplifySlice(s, c);
  case OpKind::Reverse:
    return simplifyReverse(s, c);
  case OpKind::Pad:
    return simplifyPad(s, c);
  case OpKind::Concat:
    return c.operands.size() == 1 ? std::optional(c.x()) : std::nullopt;
  default:
    return std::nullopt;
  }
}

} // namespace apr
