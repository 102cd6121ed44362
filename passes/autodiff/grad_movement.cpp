// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Derivatives of movement ops: each is the opposite movement, and repetition becomes a sum.
#include "passes/autodiff/grad_rules.h"

#include <algorithm>
#include <numeric>

namespace apr {

void gradReshape(OpGradient &d) {
  d.give(0, [&] { return d.b.reshape(d.g, d.type(d.x()).shape); });
}

void gradTranspose(OpGradient &d) {
  d.give(0, [&] {
    const std::vector<int64_t> &perm = d.op.attributes.integers(AttrKey::Perm);
    std::vector<int64_t> inverse(perm.size());
    for (size_t i = 0; i < perm.size(); ++i)
      inverse[size_t(perm[i])] = int64_t(i);
    return d.b.transpose(d.g, inverse);
  });
}

void gradBroadcast(OpGradient &d) {
  d.give(0, [&] {
    const std::vector<int64_t> &kept = d.op.attributes.integers(AttrKey::Axes);
    std::vector<int64_t> repeated;
    for (int64_t axis = 0; axis < int64_t(d.type(d.g).rank()); ++axis)
      if (!std::ranges::count(kept, axis))
        repeated.push_back(axis);
    return repeated.empty() ? d.g : d.b.sum(d.g, repeated);
  });
}

/// Elements that the slice left out get 0, those between strides too.
void gradSlice(OpGradient &d) {
  d.give(0, [&] {
    Shape low = d.op.attributes.dims(AttrKey::Start);
    const std::vector<int64_t> &stride = d.op.attributes.integers(AttrKey::Stride);
    Shape whole = d.type(d.x()).shape;
    Shape part = d.type(d.g).shape;
    Shape high;
    for (size_t i = 0; i < whole.size(); ++i)
      high.push_back(whole[i] - low[i] - part[i] * Dim(stride[i]));
    ValueId zero = d.b.splat({d.type(d.g).dtype, {}}, 0);
    return d.b.pad(d.g, zero, low, high, stride);
  });
}

namespace {

/// The part of a padded value that holds the operand's elements.
ValueId slicePadded(OpGradient &d, ValueId padded) {
  Shape start = d.op.attributes.dims(AttrKey::Low);
  const Shape &high = d.op.attributes.dims(AttrKey::High);
  const std::vector<int64_t> &stride = d.op.attributes.integers(AttrKey::Stride);
  const Shape shape = d.type(d.x()).shape;
  Shape limit, missing;
  for (size_t i = 0; i < start.size(); ++i) {
    limit.push_back(start[i] + shape[i] * Dim(stride[i]));
    missing.emplace_back(0);
    if (high[i].isProvablyNonNegative())
      continue;
    // The gap after the last element may end early: by a known number of positions where there is
    // an element, else it is made whole again.
    if (high[i].isConstant() && shape[i].isProvablyPositive())
      limit.back() += high[i];
    else
      missing.back() = Dim(stride[i] - 1);
  }
  const Shape none(start.size(), Dim(0));
  if (missing != none)
    padded = d.b.pad(padded, d.b.splat({d.type(padded).dtype, {}}, 0), none, missing,
                     std::vector<int64_t>(start.size(), 1));
  return d.b.slice(padded, start, limit, stride);
}

std::vector<int64_t> allAxes(const Type &type) {
  std::vector<int64_t> axes(type.rank());
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

} // namespace

/// The fill's derivative is the sum over the new positions, where a pad of falses shows trues.
void gradPad(OpGradient &d) {
  d.give(0, [&] { return slicePadded(d, d.g); });
  d.give(1, [&] {
    ValueId isOperand = d.b.splatInteger({DType::Bool, d.type(d.x()).shape}, 1);
    ValueId isNew = d.b.splatInteger({DType::Bool, {}}, 0);
    ValueId mask =
        d.b.pad(isOperand, isNew, d.op.attributes.dims(AttrKey::Low),
                d.op.attributes.dims(AttrKey::High), d.op.attributes.integers(AttrKey::Stride));
    ValueId filled = d.b.select(mask, d.splat(d.g, 0), d.g);
    return d.b.sum(filled, allAxes(d.type(d.g)));
  });
}

void gradReverse(OpGradient &d) {
  d.give(0, [&] {
    return d.b.create(OpKind::Reverse, {d.g},
                      {{AttrKey::Axes, d.op.attributes.integers(AttrKey::Axes)}});
  });
}

void gradConcat(OpGradient &d) {
  size_t axis = size_t(d.op.attributes.integer(AttrKey::Axis));
  Shape limit = d.type(d.g).shape;
  Shape start(limit.size(), Dim(0));
  Dim offset(0);
  for (size_t i = 0; i < d.op.operands.size(); ++i) {
    start[axis] = offset;
    offset += d.type(d.op.operands[i]).shape[axis];
    limit[axis] = offset;
    d.give(i, [&] { return d.b.slice(d.g, start, limit, std::vector<int64_t>(limit.size(), 1)); });
  }
}

} // namespace apr
