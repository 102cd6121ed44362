// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "onnx/graph_emitter.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace apr::onnx {

void emitReshape(GraphEmitter &emitter, const Op &op) {
  const Ref &operand = emitter.ref(op.operands[0]);
  const Shape &to = emitter.type(op.result()).shape;
  // One element everywhere is one element everywhere under any shape.
  if (operand.rank == 0)
    return emitter.define(op.result(), {operand.name, 0, std::vector<bool>(to.size(), true)});
  const Shape &from = emitter.type(op.operands[0]).shape;
  emitter.define(op.result(), emitter.reshape(emitter.full(op.operands[0]), from, to));
}

void emitTranspose(GraphEmitter &emitter, const Op &op) {
  emitter.define(op.result(), emitter.transpose(emitter.full(op.operands[0]),
                                                op.attributes.integers(AttrKey::Perm)));
}

/// Nothing is repeated here: missing axes get size 1, or are left out at the front.
void emitBroadcast(GraphEmitter &emitter, const Op &op) {
  const Ref operand = emitter.ref(op.operands[0]);
  const auto &axes = op.attributes.integers(AttrKey::Axes);
  const size_t rank = emitter.type(op.result()).rank();
  Ref result{operand.name, 0, std::vector<bool>(rank, true)};
  if (operand.rank == 0)
    return emitter.define(op.result(), std::move(result));
  // The tensor has the last axes of the operand; `first` is where the first of them goes.
  const size_t missing = axes.size() - operand.rank;
  const auto first = static_cast<size_t>(axes[missing]);
  result.rank = rank - first;
  std::vector<int64_t> inserted;
  for (size_t axis = first; axis < rank; ++axis) {
    const auto from = std::find(axes.begin(), axes.end(), static_cast<int64_t>(axis));
    if (from == axes.end())
      inserted.push_back(static_cast<int64_t>(axis - first));
    else
      result.stretched[axis] = operand.stretched[static_cast<size_t>(from - axes.begin())];
  }
  result.name = emitter.unsqueeze(operand.name, inserted);
  emitter.define(op.result(), std::move(result));
}

void emitSlice(GraphEmitter &emitter, const Op &op) {
  const auto &start = op.attributes.dims(AttrKey::Start);
  const auto &limit = op.attributes.dims(AttrKey::Limit);
  const auto &stride = op.attributes.integers(AttrKey::Stride);
  const Shape &from = emitter.type(op.operands[0]).shape;
  Shape starts;
  Shape limits;
  std::vector<int64_t> axes;
  std::vector<int64_t> steps;
  for (size_t axis = 0; axis < from.size(); ++axis) {
    if (start[axis] == Dim(0) && limit[axis] == from[axis] && stride[axis] == 1)
      continue;
    starts.push_back(start[axis]);
    limits.push_back(limit[axis]);
    axes.push_back(static_cast<int64_t>(axis));
    steps.push_back(stride[axis]);
  }
  const std::string x = emitter.full(op.operands[0]);
  if (axes.empty())
    return emitter.define(op.result(), x);
  emitter.define(
      op.result(),
      emitter.node("Slice", {x, emitter.shape(starts), emitter.shape(limits),
                             emitter.file.integers(axes), emitter.file.integers(steps)}));
}

namespace {

/// Element i along an axis moves to i * stride: each becomes the first of `stride`, the others
/// being `fill`.
std::string spread(GraphEmitter &emitter, const std::string &x, Shape &shape, size_t axis,
                   int64_t stride, const std::string &fill) {
  Shape split = shape;
  split.insert(split.begin() + static_cast<std::ptrdiff_t>(axis) + 1, Dim(1));
  std::vector<int64_t> pads(2 * split.size(), 0);
  pads[split.size() + axis + 1] = stride - 1;
  const std::string apart =
      emitter.node("Pad", {emitter.reshape(x, shape, split), emitter.file.integers(pads), fill});
  split[axis + 1] = Dim(stride);
  shape[axis] *= Dim(stride);
  return emitter.reshape(apart, split, shape);
}

/// A negative pad at the end takes away what `spread` put behind the last element.
std::string withoutLastGaps(GraphEmitter &emitter, const std::string &x, Shape &shape,
                            Shape &high) {
  Shape limits;
  std::vector<int64_t> axes;
  for (size_t axis = 0; axis < shape.size(); ++axis)
    if (high[axis].asConstant().value_or(0) < 0) {
      shape[axis] += high[axis];
      high[axis] = Dim(0);
      limits.push_back(shape[axis]);
      axes.push_back(static_cast<int64_t>(axis));
    }
  if (axes.empty())
    return x;
  const std::string starts = emitter.file.integers(std::vector<int64_t>(axes.size(), 0));
  return emitter.node("Slice", {x, starts, emitter.shape(limits), emitter.file.integers(axes)});
}

} // namespace

void emitPad(GraphEmitter &emitter, const Op &op) {
  const auto &stride = op.attributes.integers(AttrKey::Stride);
  Shape pads = op.attributes.dims(AttrKey::Low);
  Shape high = op.attributes.dims(AttrKey::High);
  Shape shape = emitter.type(op.operands[0]).shape;
  std::string x = emitter.full(op.operands[0]);
  const std::string fill = emitter.full(op.operands[1]);
  for (size_t axis = 0; axis < shape.size(); ++axis)
    if (stride[axis] != 1)
      x = spread(emitter, x, shape, axis, stride[axis], fill);
  x = withoutLastGaps(emitter, x, shape, high);
  pads.insert(pads.end(), high.begin(), high.end());
  if (std::all_of(pads.begin(), pads.end(), [](const Dim &dim) { return dim == Dim(0); }))
    return emitter.define(op.result(), x);
  emitter.define(op.result(), emitter.node("Pad", {x, emitter.shape(pads), fill}));
}

void emitConcat(GraphEmitter &emitter, const Op &op) {
  std::vector<std::string> parts;
  for (ValueId operand : op.operands)
    parts.push_back(emitter.full(operand));
  emitter.define(op.result(), emitter.node("Concat", std::move(parts),
                                           {{"axis", op.attributes.integer(AttrKey::Axis)}}));
}

void emitReverse(GraphEmitter &emitter, const Op &op) {
  const auto &axes = op.attributes.integers(AttrKey::Axes);
  const std::string x = emitter.full(op.operands[0]);
  if (axes.empty())
    return emitter.define(op.result(), x);
  const std::vector<int64_t> back(axes.size(), -1);
  const std::vector<int64_t> before(axes.size(), std::numeric_limits<int64_t>::min());
  emitter.define(
      op.result(),
      emitter.node("Slice", {x, emitter.file.integers(back), emitter.file.integers(before),
                             emitter.file.integers(axes), emitter.file.integers(back)}));
}

/// Axis by axis: a gather with the matrix of indices i * stride + k * dilation puts the element's
/// number in its window behind the window's; a transpose then moves it behind the last axis.
void emitWindow(GraphEmitter &emitter, const Op &op) {
  const auto &axes = op.attributes.integers(AttrKey::Axes);
  const auto &size = op.attributes.integers(AttrKey::Size);
  const auto &stride = op.attributes.integers(AttrKey::Stride);
  const auto &dilation = op.attributes.integers(AttrKey::Dilation);
  const Shape &shape = emitter.type(op.result()).shape;
  std::string x = emitter.full(op.operands[0]);
  const auto number = [&](int64_t value) {
    return emitter.file.scalar(Literal::splatInteger(DType::I64, value));
  };
  // From the last axis on, so that the numbers of those before stay.
  for (size_t i = axes.size(); i-- > 0;) {
    const std::string starts = emitter.node(
        "Mul", {emitter.range(shape[static_cast<size_t>(axes[i])]), number(stride[i])});
    const std::string offsets =
        emitter.node("Mul", {emitter.range(Dim(size[i])), number(dilation[i])});
    const std::string indices = emitter.node("Add", {emitter.unsqueeze(starts, {1}), offsets});
    x = emitter.node("Gather", {x, indices}, {{"axis", axes[i]}});
  }
  // Axis a is now behind as many sizes as there are windowed axes before it.
  const size_t rank = emitter.type(op.operands[0]).rank();
  std::vector<int64_t> perm;
  std::vector<int64_t> sizes;
  int64_t next = 0;
  for (size_t axis = 0; axis < rank; ++axis) {
    perm.push_back(next++);
    const bool isWindowed =
        std::find(axes.begin(), axes.end(), static_cast<int64_t>(axis)) != axes.end();
    if (isWindowed)
      sizes.push_back(next++);
    if (!axes.empty() && static_cast<int64_t>(axis) == axes.back())
      perm.insert(perm.end(), sizes.begin(), sizes.end());
  }
  emitter.define(op.result(), emitter.transpose(x, perm));
}

} // namespace apr::onnx
