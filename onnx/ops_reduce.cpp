// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reductions, and the groups of ops that ONNX has one node for: pooling and softmax.
#include "onnx/graph_emitter.h"

#include <algorithm>
#include <numeric>

namespace apr::onnx {
namespace {

const std::vector<int64_t> &axesOf(const Op &op) { return op.attributes.integers(AttrKey::Axes); }

/// Bools and u8 are reduced as i32, which has room for the sums and which runtimes support.
bool isReducedAsI32(DType dtype) { return dtype == DType::Bool || dtype == DType::U8; }

std::string reduce(GraphEmitter &emitter, OpKind kind, const std::string &x,
                   const std::vector<int64_t> &axes) {
  const Attribute drops{"keepdims", int64_t{0}};
  // Of these only ReduceSum takes its axes as an input in this operator set.
  if (kind == OpKind::Sum)
    return emitter.node("ReduceSum", {x, emitter.file.integers(axes)}, {drops});
  const char *type = kind == OpKind::ReduceMax   ? "ReduceMax"
                     : kind == OpKind::ReduceMin ? "ReduceMin"
                                                 : "ReduceProd";
  return emitter.node(type, {x}, {{"axes", axes}, drops});
}

const Op *definition(GraphEmitter &emitter, ValueId value, OpKind kind) {
  const Op *op = emitter.graph.definition(value);
  return op && op->kind == kind ? op : nullptr;
}

/// The operand of a broadcast that repeats a value along one axis.
const Op *repeatedAlong(GraphEmitter &emitter, ValueId value, int64_t axis, OpKind source) {
  const Op *broadcast = definition(emitter, value, OpKind::Broadcast);
  if (!broadcast)
    return nullptr;
  std::vector<int64_t> others(emitter.type(value).rank());
  std::iota(others.begin(), others.end(), 0);
  std::erase(others, axis);
  const Op *reduced = definition(emitter, broadcast->operands[0], source);
  return reduced && axesOf(*broadcast) == others && axesOf(*reduced) == std::vector{axis} ? reduced
                                                                                          : nullptr;
}

/// The windows of x[B,S1..Sn,C] along all S that a reduction takes whole; null otherwise.
const Op *pooledWindows(GraphEmitter &emitter, const Op &reduction) {
  const Op *window = definition(emitter, reduction.operands[0], OpKind::Window);
  if (!window)
    return nullptr;
  const auto &axes = axesOf(*window);
  const size_t rank = emitter.type(window->operands[0]).rank();
  if (axes.empty() || rank != axes.size() + 2)
    return nullptr;
  std::vector<int64_t> spatial(axes.size());
  std::iota(spatial.begin(), spatial.end(), 1);
  std::vector<int64_t> sizes(axes.size());
  std::iota(sizes.begin(), sizes.end(), static_cast<int64_t>(axes.size()) + 1);
  return axes == spatial && axesOf(reduction) == sizes ? window : nullptr;
}

} // namespace

bool emitPooling(GraphEmitter &emitter, const Op &op) {
  const bool isSum = op.kind == OpKind::Sum;
  const DType dtype = emitter.type(op.result()).dtype;
  if ((op.kind != OpKind::ReduceMax && !isSum) || !isFloat(dtype))
    return false;
  const Op *window = pooledWindows(emitter, op);
  if (!window)
    return false;
  const auto &size = window->attributes.integers(AttrKey::Size);
  const auto &dilation = window->attributes.integers(AttrKey::Dilation);
  const bool isDilated =
      std::any_of(dilation.begin(), dilation.end(), [](int64_t step) { return step != 1; });
  if (isSum && isDilated)
    return false;
  const auto n = static_cast<int64_t>(size.size());
  std::vector<int64_t> toChannelsFirst = {0, n + 1};
  std::vector<int64_t> toChannelsLast = {0};
  for (int64_t axis = 1; axis <= n; ++axis) {
    toChannelsFirst.push_back(axis);
    toChannelsLast.push_back(axis + 1);
  }
  toChannelsLast.push_back(1);
  std::vector<Attribute> attributes = {{"kernel_shape", size},
                                       {"strides", window->attributes.integers(AttrKey::Stride)}};
  if (isDilated)
    attributes.push_back({"dilations", dilation});
  const std::string x = emitter.transpose(emitter.full(window->operands[0]), toChannelsFirst);
  std::string y = emitter.node(isSum ? "AveragePool" : "MaxPool", {x}, std::move(attributes));
  if (isSum) {
    const auto count = std::accumulate(size.begin(), size.end(), 1.0, std::multiplies<>());
    y = emitter.node("Mul", {y, emitter.scalar(dtype, count)});
  }
  emitter.define(op.result(), emitter.transpose(y, toChannelsLast));
  return true;
}

/// exp(z - max z) / sum exp(z - max z) along one axis.
bool emitSoftmax(GraphEmitter &emitter, const Op &op) {
  const Op *exp = definition(emitter, op.operands[0], OpKind::Exp);
  const Op *sub = exp ? definition(emitter, exp->operands[0], OpKind::Sub) : nullptr;
  if (!sub)
    return false;
  for (size_t i = 0; i < emitter.type(op.result()).rank(); ++i) {
    const auto axis = static_cast<int64_t>(i);
    const Op *sum = repeatedAlong(emitter, op.operands[1], axis, OpKind::Sum);
    const Op *max = repeatedAlong(emitter, sub->operands[1], axis, OpKind::ReduceMax);
    if (!sum || !max || sum->operands[0] != op.operands[0] || max->operands[0] != sub->operands[0])
      continue;
    emitter.define(op.result(),
                   emitter.node("Softmax", {emitter.full(sub->operands[0])}, {{"axis", axis}}));
    return true;
  }
  return false;
}

void emitReduce(GraphEmitter &emitter, const Op &op) {
  if (emitPooling(emitter, op))
    return;
  const DType dtype = emitter.type(op.result()).dtype;
  const std::string x = emitter.full(op.operands[0]);
  if (axesOf(op).empty())
    return emitter.define(op.result(), x);
  if (!isReducedAsI32(dtype))
    return emitter.define(op.result(), reduce(emitter, op.kind, x, axesOf(op)));
  const std::string wide = reduce(emitter, op.kind, emitter.cast(x, DType::I32), axesOf(op));
  emitter.define(op.result(), emitter.cast(wide, dtype));
}

void emitArgReduce(GraphEmitter &emitter, const Op &op) {
  const Type &type = emitter.type(op.operands[0]);
  const auto &axes = axesOf(op);
  if (axes.empty())
    return emitter.refuse(op, "it has no index among no axes");
  std::string x = emitter.full(op.operands[0]);
  if (isReducedAsI32(type.dtype))
    x = emitter.cast(x, DType::I32);
  int64_t axis = axes.front();
  if (axes.size() > 1) {
    // The reduced axes become one, the last.
    std::vector<int64_t> perm;
    Shape kept;
    Dim count = 1;
    for (size_t i = 0; i < type.rank(); ++i)
      if (std::find(axes.begin(), axes.end(), static_cast<int64_t>(i)) == axes.end()) {
        perm.push_back(static_cast<int64_t>(i));
        kept.push_back(type.shape[i]);
      }
    Shape moved = kept;
    for (int64_t each : axes) {
      perm.push_back(each);
      moved.push_back(type.shape[static_cast<size_t>(each)]);
      count *= moved.back();
    }
    axis = static_cast<int64_t>(kept.size());
    kept.push_back(count);
    x = emitter.reshape(emitter.transpose(x, perm), moved, kept);
  }
  const std::string index = emitter.node(op.kind == OpKind::ArgMax ? "ArgMax" : "ArgMin", {x},
                                         {{"axis", axis}, {"keepdims", int64_t{0}}});
  emitter.define(op.result(), emitter.cast(index, DType::I32));
}

void emitCumulative(GraphEmitter &emitter, const Op &op) {
  const int64_t axis = op.attributes.integer(AttrKey::Axis);
  const DType dtype = emitter.type(op.result()).dtype;
  std::string x = emitter.full(op.operands[0]);
  if (dtype == DType::U8)
    x = emitter.cast(x, DType::I32);
  const std::string at = emitter.file.scalar(Literal::splatInteger(DType::I64, axis));
  const std::string sums = emitter.node("CumSum", {x, at});
  emitter.define(op.result(), dtype == DType::U8 ? emitter.cast(sums, dtype) : sums);
}

void emitSort(GraphEmitter &emitter, const Op &op) {
  const int64_t axis = op.attributes.integer(AttrKey::Axis);
  const Type &type = emitter.type(op.operands[0]);
  std::string x = emitter.full(op.operands[0]);
  if (isReducedAsI32(type.dtype))
    x = emitter.cast(x, DType::I32);
  const std::string all = emitter.file.dim(type.shape[static_cast<size_t>(axis)]);
  const std::string values =
      emitter.node("TopK", {x, all},
                   {{"axis", axis}, {"largest", op.attributes.integerOr0(AttrKey::Descending)}});
  const std::string positions = emitter.file.uniqueName(values + "_positions");
  emitter.nodes.back().outputs.push_back(positions);
  emitter.define(op.result(), emitter.cast(positions, DType::I32));
}

} // namespace apr::onnx
