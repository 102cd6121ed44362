// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Identities of reductions and contractions that leave every term and its place in the order alone.
#include "passes/simplify/simplifier.h"

#include <algorithm>

namespace apr {
namespace {

/// A reduction over axes of size 1 has one term per result, which is the result: -0 + x = x,
/// 1 · x = x.
std::optional<ValueId> simplifyReduce(Simplifier &s, const Candidate &c) {
  const Shape &shape = s.type(c.x()).shape;
  bool hasOneTerm = std::ranges::all_of(c.attributes.integers(AttrKey::Axes), [&](int64_t axis) {
    return shape[size_t(axis)] == Dim(1);
  });
  if (!hasOneTerm)
    return std::nullopt;
  return s.make(OpKind::Reshape, {c.x()}, c.type);
}

bool swapsLastTwo(const std::vector<int64_t> &perm) {
  size_t rank = perm.size();
  for (size_t i = 0; i + 2 < rank; ++i)
    if (perm[i] != int64_t(i))
      return false;
  return rank >= 2 && perm[rank - 2] == int64_t(rank - 1) && perm[rank - 1] == int64_t(rank - 2);
}

/// matmul(aᵀ, b) = matmul(a, b) {transpose_a}: the products and their order are the same.
std::optional<ValueId> simplifyMatMul(Simplifier &s, const Candidate &c) {
  constexpr AttrKey kFlags[] = {AttrKey::TransposeA, AttrKey::TransposeB};
  for (size_t side = 0; side < 2; ++side) {
    const Op *transpose = s.definedBy(c.operands[side], OpKind::Transpose);
    if (!transpose || !swapsLastTwo(transpose->attributes.integers(AttrKey::Perm)))
      continue;
    Candidate flipped = c;
    flipped.operands[side] = transpose->operands[0];
    if (c.attributes.integerOr0(kFlags[side]) != 0)
      flipped.attributes.erase(kFlags[side]);
    else
      flipped.attributes.set(kFlags[side], int64_t(1));
    return s.make(std::move(flipped));
  }
  return std::nullopt;
}

} // namespace

std::optional<ValueId> simplifyReduction(Simplifier &s, const Candidate &c) {
  switch (c.kind) {
  case OpKind::Sum:
  case OpKind::Product:
  case OpKind::ReduceMax:
  case OpKind::ReduceMin:
    return simplifyReduce(s, c);
  case OpKind::MatMul:
    return simplifyMatMul(s, c);
  default:
    return std::nullopt;
  }
}

} // namespace apr
