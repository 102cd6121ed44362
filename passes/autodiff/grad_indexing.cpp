// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Derivatives of ops with computed positions. Indices are integers and have none.
#include "passes/autodiff/grad_rules.h"

#include <numeric>

namespace apr {

/// Elements that were read several times sum, in ascending order of the reads.
void gradGather(OpGradient &d) {
  d.give(0, [&] {
    Attributes axis{{AttrKey::Axis, d.op.attributes.integer(AttrKey::Axis)}};
    return d.b.create(OpKind::ScatterAdd, {d.splat(d.x(), 0), d.y(), d.g}, axis);
  });
}

void gradScatterAdd(OpGradient &d) {
  d.give(0, [&] { return d.g; });
  d.give(2, [&] {
    Attributes axis{{AttrKey::Axis, d.op.attributes.integer(AttrKey::Axis)}};
    return d.b.create(OpKind::Gather, {d.g, d.y()}, axis);
  });
}

namespace {

/// Of the updates' shape: true where an update is the last one written to its place, found by
/// writing the updates' numbers.
ValueId isLastWriter(OpGradient &d) {
  int64_t axis = d.op.attributes.integer(AttrKey::Axis);
  const Type indices = d.type(d.y()), updates = d.type(d.z());
  Type numberType{DType::I64, indices.shape};
  ValueId flat = d.b.iota({DType::I64, {elementCount(indices.shape)}}, 0);
  ValueId number = d.b.reshape(flat, indices.shape);
  ValueId none = d.b.splatInteger({DType::I64, {d.type(d.x()).shape[size_t(axis)]}}, 0);
  Attributes alongFirst{{AttrKey::Axis, int64_t(0)}};
  ValueId last = d.b.create(OpKind::ScatterSet, {none, d.y(), number}, alongFirst);
  last = d.b.create(OpKind::Gather, {last, d.y()}, alongFirst);
  std::vector<int64_t> axes(indices.rank());
  std::iota(axes.begin(), axes.end(), axis);
  return d.b.broadcast(d.b.binary(OpKind::Eq, last, number), updates.shape, axes);
}

} // namespace

/// What was overwritten has no influence: elements of the operand, and updates that later ones
/// replaced.
void gradScatterSet(OpGradient &d) {
  Attributes axis{{AttrKey::Axis, d.op.attributes.integer(AttrKey::Axis)}};
  d.give(0, [&] { return d.b.create(OpKind::ScatterSet, {d.g, d.y(), d.splat(d.z(), 0)}, axis); });
  d.give(2, [&] {
    ValueId gathered = d.b.create(OpKind::Gather, {d.g, d.y()}, axis);
    ValueId zero = d.splat(d.z(), 0);
    return d.b.select(isLastWriter(d), gathered, zero);
  });
}

namespace {

/// The last index of an axis, as a scalar. An open size has no constant; it is the last element of
/// an iota that is one longer.
ValueId lastIndex(OpGradient &d, DType dtype, const Dim &size) {
  if (auto constant = size.asConstant())
    return d.b.splatInteger({dtype, {}}, *constant - 1);
  ValueId counts = d.b.iota({dtype, {size + Dim(1)}}, 0);
  ValueId count = d.b.reshape(d.b.slice(counts, {size}, {size + Dim(1)}, {1}), {});
  return d.b.sub(count, d.b.splatInteger({dtype, {}}, 1));
}

} // namespace

/// Each row's gradient stands at its (clamped) index, with zeros elsewhere: a comparison fuses,
/// a scatter would not.
void gradPick(OpGradient &d) {
  d.give(0, [&] {
    Type type = d.type(d.x());
    Type indexType = d.type(d.y());
    Type full{indexType.dtype, type.shape};
    std::vector<int64_t> rows(indexType.rank());
    std::iota(rows.begin(), rows.end(), 0);

    ValueId last =
        d.b.broadcast(lastIndex(d, indexType.dtype, type.shape.back()), indexType.shape, {});
    ValueId clamped = d.b.binary(OpKind::Min, d.y(), last);
    clamped = d.b.binary(OpKind::Max, clamped, d.b.splatInteger(indexType, 0));
    ValueId picked = d.b.broadcast(clamped, type.shape, rows);
    ValueId isPicked = d.b.binary(OpKind::Eq, d.b.iota(full, int64_t(type.rank()) - 1), picked);
    ValueId zero = d.splat(d.x(), 0);
    return d.b.select(isPicked, d.b.broadcast(d.g, type.shape, rows), zero);
  });
}

} // namespace apr
