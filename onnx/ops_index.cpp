// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Indexing and sources.
#include "onnx/graph_emitter.h"

#include <algorithm>
#include <numeric>

namespace apr::onnx {
namespace {

bool isGivenByCaller(GraphEmitter &emitter, ValueId value) {
  return !emitter.isRegion && !emitter.graph.definition(value);
}

/// Indices inside [0, size - 1]: those that the program computes are clamped, as ours are; inputs
/// are the caller's to get right.
std::string clamped(GraphEmitter &emitter, ValueId indices, const Dim &size) {
  const std::string name = emitter.full(indices);
  if (isGivenByCaller(emitter, indices))
    return name;
  const DType dtype = emitter.type(indices).dtype;
  const std::string wide = dtype == DType::I64 ? name : emitter.cast(name, DType::I64);
  const std::string last = emitter.file.dim(size + Dim(-1));
  const std::string zero = emitter.file.scalar(Literal::splatInteger(DType::I64, 0));
  return emitter.node("Max",
                      {emitter.node("Min", {wide, emitter.reshape(last, {Dim(1)}, {})}), zero});
}

std::string asI64(GraphEmitter &emitter, ValueId value, const std::string &name) {
  const bool isWide = !isGivenByCaller(emitter, value) || emitter.type(value).dtype == DType::I64;
  return isWide ? name : emitter.cast(name, DType::I64);
}

} // namespace

void emitGather(GraphEmitter &emitter, const Op &op) {
  const int64_t axis = op.attributes.integer(AttrKey::Axis);
  const Dim &size = emitter.type(op.operands[0]).shape[static_cast<size_t>(axis)];
  emitter.define(
      op.result(),
      emitter.node("Gather", {emitter.full(op.operands[0]), clamped(emitter, op.operands[1], size)},
                   {{"axis", axis}}));
}

/// ScatterND writes along the first axis: the one that is indexed goes there, and back.
void emitScatter(GraphEmitter &emitter, const Op &op) {
  const int64_t axis = op.attributes.integer(AttrKey::Axis);
  const Type &type = emitter.type(op.operands[0]);
  const auto rank = static_cast<int64_t>(type.rank());
  const auto indexRank = static_cast<int64_t>(emitter.type(op.operands[1]).rank());
  const std::string indices =
      asI64(emitter, op.operands[1],
            clamped(emitter, op.operands[1], type.shape[static_cast<size_t>(axis)]));
  std::vector<int64_t> toFront = {axis};
  std::vector<int64_t> back(static_cast<size_t>(rank));
  for (int64_t i = 0; i < rank; ++i)
    if (i != axis)
      toFront.push_back(i);
  for (size_t i = 0; i < toFront.size(); ++i)
    back[static_cast<size_t>(toFront[i])] = static_cast<int64_t>(i);
  std::vector<int64_t> updatesToFront(static_cast<size_t>(indexRank));
  std::iota(updatesToFront.begin(), updatesToFront.end(), axis);
  for (int64_t i = 0; i < rank - 1 + indexRank; ++i)
    if (i < axis || i >= axis + indexRank)
      updatesToFront.push_back(i);
  std::vector<Attribute> attributes;
  if (op.kind == OpKind::ScatterAdd)
    attributes.push_back({"reduction", std::string("add")});
  const std::string scattered =
      emitter.node("ScatterND",
                   {emitter.transpose(emitter.full(op.operands[0]), toFront),
                    emitter.unsqueeze(indices, {indexRank}),
                    emitter.transpose(emitter.full(op.operands[2]), updatesToFront)},
                   std::move(attributes));
  emitter.define(op.result(), emitter.transpose(scattered, back));
}

void emitPick(GraphEmitter &emitter, const Op &op) {
  const Type &type = emitter.type(op.operands[0]);
  const auto last = static_cast<int64_t>(type.rank()) - 1;
  const std::string indices = clamped(emitter, op.operands[1], type.shape.back());
  const std::string picked = emitter.node(
      "GatherElements", {emitter.full(op.operands[0]), emitter.unsqueeze(indices, {last})},
      {{"axis", last}});
  emitter.define(op.result(), emitter.node("Squeeze", {picked, emitter.file.integers({last})}));
}

void emitOneHot(GraphEmitter &emitter, const Op &op) {
  const Type &type = emitter.type(op.result());
  const auto last = static_cast<int64_t>(type.rank()) - 1;
  const ValueId indices = op.operands[0];
  const std::string name = emitter.full(indices);
  const std::string wide =
      emitter.type(indices).dtype == DType::I64 ? name : emitter.cast(name, DType::I64);
  const std::string hits =
      emitter.node("Equal", {emitter.unsqueeze(wide, {last}), emitter.range(type.shape.back())});
  emitter.define(op.result(), type.dtype == DType::Bool ? hits : emitter.cast(hits, type.dtype));
}

void emitConstant(GraphEmitter &emitter, const Op &op) {
  const Type &type = emitter.type(op.result());
  const Literal &literal = op.attributes.literal();
  if (literal.count() == 1)
    return emitter.define(op.result(),
                          {emitter.file.scalar(literal), 0, std::vector<bool>(type.rank(), true)});
  std::vector<int64_t> shape;
  for (const Dim &dim : type.shape)
    shape.push_back(dim.asConstant().value_or(0));
  const std::string bytes(reinterpret_cast<const char *>(literal.bytes.data()),
                          literal.bytes.size());
  const std::string &name = emitter.graph.value(op.result()).name;
  emitter.define(op.result(), emitter.file.constant(type.dtype, std::move(shape), bytes,
                                                    name.empty() ? "table" : name));
}

/// The coordinates along one axis; the others are stretched.
void emitIota(GraphEmitter &emitter, const Op &op) {
  const Type &type = emitter.type(op.result());
  const auto axis = static_cast<size_t>(op.attributes.integer(AttrKey::Axis));
  std::string name = emitter.range(type.shape[axis]);
  if (type.dtype != DType::I64)
    name = emitter.cast(name, type.dtype);
  std::vector<int64_t> behind(type.rank() - axis - 1);
  std::iota(behind.begin(), behind.end(), 1);
  Ref result{emitter.unsqueeze(name, behind), type.rank() - axis,
             std::vector<bool>(type.rank(), true)};
  result.stretched[axis] = false;
  emitter.define(op.result(), std::move(result));
}

} // namespace apr::onnx
