// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products of matrices and convolutions. Ours are channels last, those of ONNX channels first.
#include "onnx/graph_emitter.h"

#include <numeric>

namespace apr::onnx {
namespace {

std::string operandMatrix(GraphEmitter &emitter, ValueId value, AttrKey flag, const Op &op) {
  const std::string name = emitter.full(value);
  if (op.attributes.integerOr0(flag) == 0)
    return name;
  std::vector<int64_t> perm(emitter.type(value).rank());
  std::iota(perm.begin(), perm.end(), 0);
  std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  return emitter.transpose(name, perm);
}

/// x[B,S1..Sn,G,I] as [B,G*I,S1..Sn].
std::string channelsFirst(GraphEmitter &emitter, ValueId value, int64_t n) {
  const Shape &shape = emitter.type(value).shape;
  Shape joined(shape.begin(), shape.end() - 1);
  joined.back() *= shape.back();
  std::vector<int64_t> perm = {0, n + 1};
  for (int64_t axis = 1; axis <= n; ++axis)
    perm.push_back(axis);
  return emitter.transpose(emitter.reshape(emitter.full(value), shape, joined), perm);
}

/// w[K1..Kn,G,I,O] as [G*O,I,K1..Kn].
std::string kernelFirst(GraphEmitter &emitter, ValueId value, int64_t n) {
  const Shape &shape = emitter.type(value).shape;
  const auto at = [&](int64_t axis) { return shape[static_cast<size_t>(axis)]; };
  std::vector<int64_t> perm = {n, n + 2, n + 1};
  Shape moved = {at(n), at(n + 2), at(n + 1)};
  Shape joined = {at(n) * at(n + 2), at(n + 1)};
  for (int64_t axis = 0; axis < n; ++axis) {
    perm.push_back(axis);
    moved.push_back(at(axis));
    joined.push_back(at(axis));
  }
  const std::string name = emitter.full(value);
  if (at(n) != Dim(1))
    return emitter.reshape(emitter.transpose(name, perm), moved, joined);
  // One group: its axis goes first, so that the transpose has one axis less.
  Shape single(shape);
  single.erase(single.begin() + n);
  std::vector<int64_t> swapped = {n + 1, n};
  for (int64_t axis = 0; axis < n; ++axis)
    swapped.push_back(axis);
  return emitter.transpose(emitter.reshape(name, shape, single), swapped);
}

} // namespace

void emitContract(GraphEmitter &emitter, const Op &op) {
  const DType dtype = emitter.type(op.result()).dtype;
  std::string a = operandMatrix(emitter, op.operands[0], AttrKey::TransposeA, op);
  std::string b = operandMatrix(emitter, op.operands[1], AttrKey::TransposeB, op);
  if (dtype != DType::U8)
    return emitter.define(op.result(), emitter.node("MatMul", {a, b}));
  const std::string wide =
      emitter.node("MatMul", {emitter.cast(a, DType::I32), emitter.cast(b, DType::I32)});
  emitter.define(op.result(), emitter.cast(wide, dtype));
}

void emitConv(GraphEmitter &emitter, const Op &op) {
  const auto &stride = op.attributes.integers(AttrKey::Stride);
  const auto n = static_cast<int64_t>(stride.size());
  if (op.kind != OpKind::Conv || n == 0)
    return emitter.refuse(op, "it has no such convolution");
  const Shape &weight = emitter.type(op.operands[1]).shape;
  std::vector<int64_t> size;
  for (int64_t axis = 0; axis < n; ++axis)
    size.push_back(weight[static_cast<size_t>(axis)].asConstant().value_or(1));
  const int64_t groups = weight[static_cast<size_t>(n)].asConstant().value_or(1);
  const std::string y = emitter.node(
      "Conv", {channelsFirst(emitter, op.operands[0], n), kernelFirst(emitter, op.operands[1], n)},
      {{"kernel_shape", size},
       {"strides", stride},
       {"dilations", op.attributes.integers(AttrKey::Dilation)},
       {"group", groups}});
  std::vector<int64_t> perm = {0};
  for (int64_t axis = 2; axis < n + 2; ++axis)
    perm.push_back(axis);
  perm.push_back(1);
  const Shape &shape = emitter.type(op.result()).shape;
  Shape joined(shape.begin(), shape.end() - 1);
  joined.back() *= shape.back();
  emitter.define(op.result(), emitter.reshape(emitter.transpose(y, perm), joined, shape));
}

} // namespace apr::onnx
