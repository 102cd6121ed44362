// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "onnx/graph_emitter.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace apr::onnx {
namespace {

/// Counts up to so many are written out; longer ones are computed.
constexpr int64_t kLongestTable = 4096;

std::string bytesOf(const std::vector<int64_t> &values) {
  return {reinterpret_cast<const char *>(values.data()), values.size() * sizeof(int64_t)};
}

void emitOp(GraphEmitter &emitter, const Op &op) {
  switch (opInfo(op.kind).family) {
  case OpFamily::Unary:
  case OpFamily::UnaryLogic:
    return emitUnary(emitter, op);
  case OpFamily::Identity:
    return emitter.define(op.result(), emitter.ref(op.operands[0]));
  case OpFamily::Binary:
  case OpFamily::BinaryFloat:
  case OpFamily::BinaryInteger:
  case OpFamily::BinaryLogic:
    return emitBinary(emitter, op);
  case OpFamily::Compare:
    return emitCompare(emitter, op);
  case OpFamily::Ternary:
    return emitFma(emitter, op);
  case OpFamily::Select:
    return emitSelect(emitter, op);
  case OpFamily::Convert:
    return emitConvert(emitter, op);
  case OpFamily::Bitcast:
    return emitter.refuse(op,
                          "it has no operation that reads the bits of a number as another type");
  case OpFamily::Reduce:
    return emitReduce(emitter, op);
  case OpFamily::ArgReduce:
    return emitArgReduce(emitter, op);
  case OpFamily::Cumulative:
    return emitCumulative(emitter, op);
  case OpFamily::Sort:
    return emitSort(emitter, op);
  case OpFamily::Conv:
    return emitConv(emitter, op);
  case OpFamily::Contract:
    return emitContract(emitter, op);
  case OpFamily::Reshape:
    return emitReshape(emitter, op);
  case OpFamily::Transpose:
    return emitTranspose(emitter, op);
  case OpFamily::Broadcast:
    return emitBroadcast(emitter, op);
  case OpFamily::Slice:
    return emitSlice(emitter, op);
  case OpFamily::Pad:
    return emitPad(emitter, op);
  case OpFamily::Concat:
    return emitConcat(emitter, op);
  case OpFamily::Reverse:
    return emitReverse(emitter, op);
  case OpFamily::Window:
    return emitWindow(emitter, op);
  case OpFamily::Gather:
    return emitGather(emitter, op);
  case OpFamily::Scatter:
    return emitScatter(emitter, op);
  case OpFamily::Pick:
    return emitPick(emitter, op);
  case OpFamily::OneHot:
    return emitOneHot(emitter, op);
  case OpFamily::Constant:
    return emitConstant(emitter, op);
  case OpFamily::Iota:
    return emitIota(emitter, op);
  case OpFamily::Random:
    return emitter.refuse(op, "it has no generator that gives these numbers");
  case OpFamily::Scan:
    return emitScan(emitter, op);
  case OpFamily::Gradient:
  case OpFamily::WithGradient:
  case OpFamily::Kernel:
    throw InternalError(fmt::format("{} reached the writer of ONNX", opInfo(op.kind).mnemonic));
  }
}

} // namespace

std::string FileContext::uniqueName(const std::string &wanted) {
  std::string name = wanted;
  for (int i = 2; !names_.insert(name).second; ++i)
    name = fmt::format("{}_{}", wanted, i);
  return name;
}

std::string FileContext::constant(DType dtype, std::vector<int64_t> shape, std::string bytes,
                                  const std::string &hint) {
  const std::string key = fmt::format("{}[{}]{}", name(dtype), fmt::join(shape, ","), bytes);
  auto [entry, isNew] = constants_.try_emplace(key);
  if (isNew) {
    entry->second = uniqueName(hint);
    initializers.push_back({entry->second, dtype, std::move(shape), std::move(bytes)});
  }
  return entry->second;
}

std::string FileContext::scalar(const Literal &value) {
  std::string bytes(reinterpret_cast<const char *>(value.bytes.data()), byteSize(value.dtype));
  return constant(value.dtype, {}, std::move(bytes), fmt::format("const_{}", value.asDouble(0)));
}

std::string FileContext::integers(const std::vector<int64_t> &values) {
  return constant(DType::I64, {static_cast<int64_t>(values.size())}, bytesOf(values),
                  fmt::format("ints_{}", fmt::join(values, "_")));
}

std::string FileContext::arithmetic(const std::string &type, const std::string &a,
                                    const std::string &b) {
  prologue.push_back({type, {a, b}, {uniqueName("dim")}, {}, {}});
  return prologue.back().outputs.front();
}

std::string FileContext::variable(const std::string &name) {
  const auto source = dimSources.find(name);
  if (source == dimSources.end()) {
    refuse(current,
           fmt::format("the open dimension {} is not the size of an axis of an input; give "
                       "it a number with --dim {}=NUMBER",
                       name, name));
    return integers({1});
  }
  const auto axis = static_cast<int64_t>(source->second.second);
  prologue.push_back({"Shape",
                      {source->second.first},
                      {uniqueName("size_" + name)},
                      {{"start", axis}, {"end", axis + 1}},
                      {}});
  return prologue.back().outputs.front();
}

std::string FileContext::factor(const Dim::Factor &factor) {
  std::string base;
  if (factor.quotient)
    base = arithmetic("Div", dim(factor.quotient->numerator), dim(factor.quotient->denominator));
  else
    base = dim(Dim::variable(factor.variable));
  std::string power = base;
  for (uint32_t i = 1; i < factor.power; ++i)
    power = arithmetic("Mul", power, base);
  return power;
}

std::string FileContext::dim(const Dim &dim) {
  if (const auto constant = dim.asConstant())
    return integers({*constant});
  if (const auto known = dims_.find(dim.str()); known != dims_.end())
    return known->second;
  std::string sum;
  if (const auto name = dim.asVariable()) {
    sum = variable(*name);
  } else {
    for (const Dim::Term &term : dim.terms()) {
      std::string product;
      if (term.coefficient != 1 || term.factors.empty())
        product = integers({term.coefficient});
      for (const Dim::Factor &each : term.factors) {
        const std::string value = factor(each);
        product = product.empty() ? value : arithmetic("Mul", product, value);
      }
      sum = sum.empty() ? product : arithmetic("Add", sum, product);
    }
  }
  return dims_[dim.str()] = sum;
}

void FileContext::refuse(Location location, std::string message) {
  const bool isKnown = std::any_of(problems.begin(), problems.end(), [&](const Problem &problem) {
    return problem.location == location && problem.message == message;
  });
  if (!isKnown)
    problems.push_back({location, std::move(message)});
}

void GraphEmitter::emit() {
  for (const Op &op : graph.ops()) {
    file.current = op.location;
    hint_ = op.results.empty() ? "" : graph.value(op.results.front()).name;
    emitOp(*this, op);
  }
}

void GraphEmitter::define(ValueId value, const std::string &name) {
  const size_t rank = type(value).rank();
  refs_[value] = {name, rank, std::vector<bool>(rank, false)};
}

std::string GraphEmitter::full(ValueId value) {
  const Ref &ref = refs_.at(value);
  const Shape &wanted = type(value).shape;
  bool isFull = ref.rank == wanted.size();
  for (size_t axis = 0; axis < wanted.size(); ++axis)
    isFull = isFull && (!ref.stretched[axis] || wanted[axis] == Dim(1));
  if (isFull)
    return ref.name;
  auto [entry, isNew] = expanded_.try_emplace(value);
  if (isNew)
    entry->second = node("Expand", {ref.name, shape(wanted)});
  return entry->second;
}

std::string GraphEmitter::node(const std::string &type, std::vector<std::string> inputs,
                               std::vector<Attribute> attributes) {
  const std::string name = file.uniqueName(hint_.empty() ? type : hint_);
  nodes.push_back(
      {type, std::move(inputs), {name}, std::move(attributes), file.describe(file.current)});
  return name;
}

std::string GraphEmitter::cast(const std::string &name, DType dtype) {
  return node("Cast", {name}, {{"to", dataType(dtype)}});
}

std::string GraphEmitter::transpose(const std::string &name, const std::vector<int64_t> &perm) {
  if (std::is_sorted(perm.begin(), perm.end()))
    return name;
  return node("Transpose", {name}, {{"perm", perm}});
}

std::string GraphEmitter::unsqueeze(const std::string &name, const std::vector<int64_t> &axes) {
  return axes.empty() ? name : node("Unsqueeze", {name, file.integers(axes)});
}

std::string GraphEmitter::shape(const Shape &shape) {
  std::vector<int64_t> sizes;
  for (const Dim &dim : shape)
    if (const auto size = dim.asConstant())
      sizes.push_back(*size);
  if (sizes.size() == shape.size())
    return file.integers(sizes);
  std::vector<std::string> parts;
  for (const Dim &dim : shape)
    parts.push_back(file.dim(dim));
  return concat1(parts);
}

std::string GraphEmitter::concat1(const std::vector<std::string> &parts) {
  return parts.size() == 1 ? parts.front() : node("Concat", parts, {{"axis", int64_t{0}}});
}

std::string GraphEmitter::reshape(const std::string &name, const Shape &from, const Shape &to) {
  std::string source = name;
  Shape sourceShape = from;
  if (const auto earlier = reshaped_.find(name); earlier != reshaped_.end())
    std::tie(source, sourceShape) = earlier->second;
  if (sourceShape == to)
    return source;
  std::vector<int64_t> sizes;
  for (const Dim &dim : to)
    sizes.push_back(dim.asConstant().value_or(-1));
  // One size that is not a number can be left to ONNX, unless another is zero.
  const bool isPlain = std::count(sizes.begin(), sizes.end(), -1) <= 1 &&
                       std::count(sizes.begin(), sizes.end(), 0) == 0;
  const std::string target = isPlain ? file.integers(sizes) : shape(to);
  const std::string result =
      node("Reshape", {source, target},
           isPlain ? std::vector<Attribute>{} : std::vector<Attribute>{{"allowzero", int64_t{1}}});
  reshaped_[result] = {source, sourceShape};
  return result;
}

std::string GraphEmitter::scalar(DType dtype, double value) {
  return file.scalar(Literal::splat(dtype, value));
}

std::string GraphEmitter::range(const Dim &count) {
  if (const auto size = count.asConstant(); size && *size <= kLongestTable) {
    std::vector<int64_t> numbers(static_cast<size_t>(*size));
    std::iota(numbers.begin(), numbers.end(), 0);
    return file.constant(DType::I64, {*size}, bytesOf(numbers), "coordinates");
  }
  const Literal zero = Literal::splatInteger(DType::I64, 0);
  const Literal one = Literal::splatInteger(DType::I64, 1);
  const std::string limit = reshape(file.dim(count), {Dim(1)}, {});
  return node("Range", {file.scalar(zero), limit, file.scalar(one)});
}

void GraphEmitter::refuse(const Op &op, const std::string &reason) {
  file.refuse(op.location, fmt::format("ONNX (operator set {}) cannot express {}: {}", kOperatorSet,
                                       opInfo(op.kind).mnemonic, reason));
  // Later ops must find something; nothing of it is written.
  for (ValueId result : op.results)
    define(result, "refused");
}

std::vector<DimText> dimTexts(const Shape &shape) {
  std::vector<DimText> texts;
  for (const Dim &dim : shape) {
    if (const auto size = dim.asConstant())
      texts.emplace_back(*size);
    else
      texts.emplace_back(dim.str());
  }
  return texts;
}

namespace {

void collectUses(const std::vector<Node> &nodes, std::set<std::string> &used) {
  for (const Node &node : nodes) {
    used.insert(node.inputs.begin(), node.inputs.end());
    for (const Attribute &attribute : node.attributes)
      if (const auto *body = std::get_if<std::shared_ptr<onnx::Graph>>(&attribute.value)) {
        collectUses((*body)->nodes, used);
        for (const ValueInfo &output : (*body)->outputs)
          used.insert(output.name);
      }
  }
}

void renameIn(std::vector<Node> &nodes, const std::string &from, const std::string &to) {
  for (Node &node : nodes) {
    std::replace(node.inputs.begin(), node.inputs.end(), from, to);
    std::replace(node.outputs.begin(), node.outputs.end(), from, to);
    for (Attribute &attribute : node.attributes)
      if (const auto *body = std::get_if<std::shared_ptr<onnx::Graph>>(&attribute.value))
        renameIn((*body)->nodes, from, to);
  }
}

} // namespace

bool renameResult(std::vector<Node> &nodes, const std::string &from, const std::string &to) {
  const bool isMade = std::any_of(nodes.begin(), nodes.end(), [&](const Node &node) {
    return std::find(node.outputs.begin(), node.outputs.end(), from) != node.outputs.end();
  });
  if (isMade)
    renameIn(nodes, from, to);
  return isMade;
}

void removeUnused(onnx::Graph &graph) {
  std::set<std::string> used;
  for (const ValueInfo &output : graph.outputs)
    used.insert(output.name);
  std::vector<Node> kept;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const bool isUsed = std::any_of(node->outputs.begin(), node->outputs.end(),
                                    [&](const std::string &name) { return used.contains(name); });
    if (!isUsed)
      continue;
    for (const Attribute &attribute : node->attributes)
      if (const auto *body = std::get_if<std::shared_ptr<onnx::Graph>>(&attribute.value))
        removeUnused(**body);
    collectUses({*node}, used);
    kept.push_back(std::move(*node));
  }
  std::reverse(kept.begin(), kept.end());
  graph.nodes = std::move(kept);
  std::erase_if(graph.initializers,
                [&](const Tensor &tensor) { return !used.contains(tensor.name); });
}

} // namespace apr::onnx
