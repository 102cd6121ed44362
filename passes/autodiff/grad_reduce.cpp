// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Derivatives of reductions and contractions.
#include "passes/autodiff/grad_rules.h"

#include <algorithm>

namespace apr {
namespace {

std::vector<int64_t> keptAxes(const OpGradient &d) {
  const std::vector<int64_t> &reduced = d.op.attributes.integers(AttrKey::Axes);
  std::vector<int64_t> kept;
  for (int64_t axis = 0; axis < int64_t(d.type(d.x()).rank()); ++axis)
    if (!std::ranges::count(reduced, axis))
      kept.push_back(axis);
  return kept;
}

/// A value of the reduced shape, repeated along the reduced axes.
ValueId repeat(OpGradient &d, ValueId v) {
  return d.b.broadcast(v, d.type(d.x()).shape, keptAxes(d));
}

/// The row-major index among the reduced axes, i32, of the operand's shape.
ValueId indexAmongReduced(OpGradient &d) {
  const std::vector<int64_t> &reduced = d.op.attributes.integers(AttrKey::Axes);
  Shape shape = d.type(d.x()).shape;
  Shape sizes;
  for (int64_t axis : reduced)
    sizes.push_back(shape[size_t(axis)]);
  ValueId flat = d.b.iota({DType::I32, {elementCount(sizes)}}, 0);
  return d.b.broadcast(d.b.reshape(flat, sizes), shape, reduced);
}

/// The gradient goes to the first maximal element of each group (to the first NaN, where there is
/// one), which argmax of `keys` finds.
void gradExtremum(OpGradient &d, const std::function<ValueId()> &keys) {
  d.give(0, [&] {
    std::vector<int64_t> axes = d.op.attributes.integers(AttrKey::Axes);
    if (axes.empty())
      return d.g;
    ValueId first = d.b.reduce(OpKind::ArgMax, keys(), axes);
    ValueId isFirst = d.b.binary(OpKind::Eq, indexAmongReduced(d), repeat(d, first));
    return d.b.select(isFirst, repeat(d, d.g), d.splat(d.x(), 0));
  });
}

} // namespace

void gradSum(OpGradient &d) {
  d.give(0, [&] { return repeat(d, d.g); });
}

void gradReduceMax(OpGradient &d) {
  gradExtremum(d, [&] { return d.x(); });
}

void gradReduceMin(OpGradient &d) {
  gradExtremum(d, [&] { return d.b.neg(d.x()); });
}

/// C = op(A) op(B), where op transposes or not: op(A)' = G op(B)ᵀ and op(B)' = op(A)ᵀ G, each
/// written as one matmul whose result has the layout of the operand.
void gradMatMul(OpGradient &d) {
  bool transposesA = d.op.attributes.integerOr0(AttrKey::TransposeA) != 0;
  bool transposesB = d.op.attributes.integerOr0(AttrKey::TransposeB) != 0;
  ValueId a = d.x(), b = d.y();
  d.give(0, [&] {
    return transposesA ? d.b.matmul(b, d.g, transposesB, true)
                       : d.b.matmul(d.g, b, false, !transposesB);
  });
  d.give(1, [&] {
    return transposesB ? d.b.matmul(d.g, a, true, transposesA)
                       : d.b.matmul(a, d.g, !transposesA, false);
  });
}

} // namespace apr
