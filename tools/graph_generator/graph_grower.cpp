// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/graph_generator/graph_grower.h"

#include <algorithm>
#include <limits>

namespace apr::fuzz {

bool refusesDerivatives(const Graph &graph, const Op &op) {
  if (op.region)
    return std::ranges::any_of(
        op.region->ops(), [&](const Op &inner) { return refusesDerivatives(*op.region, inner); });
  switch (op.kind) {
  case OpKind::Floor:
  case OpKind::Ceil:
  case OpKind::Round:
  case OpKind::Bitcast:
  case OpKind::Kernel:
    return true;
  default:
    return std::ranges::any_of(op.operands,
                               [&](ValueId v) { return graph.type(v).dtype == DType::BF16; }) ||
           std::ranges::any_of(op.results,
                               [&](ValueId v) { return graph.type(v).dtype == DType::BF16; });
  }
}

void GraphGrower::know(ValueId value, Flow flow) {
  flow_.resize(std::max(flow_.size(), graph_.values().size()), Flow::None);
  flow_[value] = flow;
  values_.push_back(value);
}

void GraphGrower::settle() {
  flow_.resize(graph_.values().size(), Flow::None);
  for (; settled_ < graph_.ops().size(); ++settled_) {
    const Op &op = graph_.ops()[settled_];
    for (size_t r = 0; r < op.results.size(); ++r) {
      Flow flow = Flow::None;
      for (size_t i = 0; i < op.operands.size(); ++i) {
        const Flow from = flow_[op.operands[i]];
        if (from == Flow::None || !gradientFlow_.flows(graph_, op, i, r))
          continue;
        const bool isBroken = from == Flow::Broken || refusesDerivatives(graph_, op);
        flow = std::max(flow, isBroken ? Flow::Broken : Flow::Smooth);
      }
      flow_[op.results[r]] = flow;
      values_.push_back(op.results[r]);
    }
  }
}

void GraphGrower::grow(size_t count) {
  // Kinds that make values worth reading; those that only end chains come seldom.
  static constexpr OpKind kFrequent[] = {
      OpKind::Add,       OpKind::Sub,    OpKind::Mul,       OpKind::Max,     OpKind::Neg,
      OpKind::Abs,       OpKind::Sqrt,   OpKind::Fma,       OpKind::Select,  OpKind::Sum,
      OpKind::ReduceMax, OpKind::MatMul, OpKind::Broadcast, OpKind::Reshape, OpKind::Transpose,
      OpKind::Slice,     OpKind::Concat, OpKind::Exp,       OpKind::Tanh,    OpKind::Div};
  for (size_t attempts = 0; graph_.ops().size() < count && attempts < 10 * count; ++attempts)
    add(random_.oneIn(3) ? random_.pick(allOps()) : random_.pick(kFrequent));
}

bool GraphGrower::add(OpKind kind) {
  bool isAdded = false;
  switch (opInfo(kind).family) {
  case OpFamily::Unary:
  case OpFamily::UnaryLogic:
  case OpFamily::Identity:
  case OpFamily::Binary:
  case OpFamily::BinaryFloat:
  case OpFamily::BinaryInteger:
  case OpFamily::BinaryLogic:
  case OpFamily::Compare:
  case OpFamily::Ternary:
  case OpFamily::Select:
  case OpFamily::Convert:
  case OpFamily::Bitcast:
    isAdded = addElementwise(kind);
    break;
  case OpFamily::Reduce:
  case OpFamily::ArgReduce:
    isAdded = addReduce(kind);
    break;
  case OpFamily::Cumulative:
  case OpFamily::Sort:
    isAdded = addAlongAxis(kind);
    break;
  case OpFamily::Contract:
    isAdded = addMatMul();
    break;
  case OpFamily::Conv:
    isAdded = kind == OpKind::Conv ? addConv() : addConvWeight();
    break;
  case OpFamily::Reshape:
  case OpFamily::Transpose:
  case OpFamily::Broadcast:
  case OpFamily::Slice:
  case OpFamily::Pad:
  case OpFamily::Concat:
  case OpFamily::Reverse:
  case OpFamily::Window:
    isAdded = addMovement(kind);
    break;
  case OpFamily::Gather:
  case OpFamily::Scatter:
  case OpFamily::Pick:
  case OpFamily::OneHot:
    isAdded = addIndexing(kind);
    break;
  case OpFamily::Constant:
  case OpFamily::Iota:
  case OpFamily::Random:
    isAdded = addSource(kind);
    break;
  case OpFamily::Gradient: // takes a loss: see generate.cpp
    return false;
  case OpFamily::Scan:
  case OpFamily::WithGradient:
  case OpFamily::Kernel:
    isAdded = addStructure(kind);
    break;
  }
  settle();
  return isAdded;
}

// ---- types and operands ----

bool GraphGrower::has(Elements elements, DType dtype) {
  switch (elements) {
  case Elements::Any:
    return true;
  case Elements::Float:
    return isFloat(dtype);
  case Elements::Integer:
    return isInteger(dtype);
  case Elements::Number:
    return isFloat(dtype) || isInteger(dtype);
  case Elements::NoBf16:
    return dtype != DType::BF16;
  case Elements::NoBool:
    return dtype != DType::Bool;
  case Elements::Logic:
    return dtype == DType::Bool || isInteger(dtype);
  }
  return false;
}

DType GraphGrower::drawDType(Elements elements) {
  static constexpr DType kWeighted[] = {DType::F32,  DType::F32, DType::F32, DType::F32,
                                        DType::F32,  DType::F64, DType::I32, DType::I64,
                                        DType::Bool, DType::U8,  DType::BF16};
  if (asksDerivatives() && has(elements, DType::F32) && !random_.oneIn(5))
    return random_.oneIn(8) ? DType::F64 : DType::F32;
  for (;;)
    if (DType dtype = random_.pick(kWeighted); has(elements, dtype))
      return dtype;
}

int64_t GraphGrower::countOf(const Shape &shape) const {
  int64_t count = 1;
  for (const Dim &dim : shape) {
    const int64_t size = sizeOf(dim);
    if (size < 0)
      return std::numeric_limits<int64_t>::max();
    count = std::min<int64_t>(count * size, int64_t(1) << 40);
  }
  return count;
}

Shape GraphGrower::makeShape(size_t rank) {
  Shape shape;
  for (size_t i = 0; i < rank; ++i)
    shape.push_back(random_.pick(style_.sizes));
  // Large sizes give way to small ones until the value is affordable.
  while (!fits(shape))
    shape[random_.below(rank)] = Dim(random_.between(1, 3));
  return shape;
}

std::optional<ValueId> GraphGrower::find(const std::function<bool(const Type &)> &fits) {
  std::vector<ValueId> fitting, reached;
  for (ValueId v : values_)
    if (fits(graph_.type(v))) {
      fitting.push_back(v);
      if (flow_[v] == Flow::Smooth)
        reached.push_back(v);
    }
  if (asksDerivatives() && !reached.empty() && !random_.oneIn(5))
    fitting = reached;
  if (fitting.empty())
    return std::nullopt;
  const size_t late = std::min<size_t>(fitting.size(), 6);
  return random_.oneIn(3) ? random_.pick(fitting)
                          : fitting[fitting.size() - 1 - random_.below(late)];
}

ValueId GraphGrower::operand(Elements elements, size_t minimumRank) {
  auto found = random_.oneIn(8) ? std::nullopt : find([&](const Type &type) {
    return has(elements, type.dtype) && type.rank() >= minimumRank;
  });
  if (found)
    return *found;
  const size_t rank = minimumRank + random_.below(minimumRank < 2 ? 3 : 2);
  return valueOf({drawDType(elements), makeShape(rank)});
}

ValueId GraphGrower::constant(const Type &type) {
  const auto count = elementCount(type.shape).asConstant();
  if (count && *count > 1 && *count <= 64 && random_.oneIn(2)) {
    Tensor tensor = Tensor::zeros(type.dtype, {*count});
    random_.fill(tensor);
    return b_.constant(type, {type.dtype, tensor.data});
  }
  Tensor scalar = Tensor::zeros(type.dtype, {});
  random_.fill(scalar);
  // What identities and special cases look for.
  static constexpr double kUsual[] = {0, -0.0, 1, -1, 2, 0.5, 3};
  if (!random_.oneIn(3))
    return type.dtype == DType::Bool || isInteger(type.dtype)
               ? b_.splatInteger(
                     type,
                     random_.between(type.dtype == DType::I32 || type.dtype == DType::I64 ? -1 : 0,
                                     type.dtype == DType::Bool ? 1 : 3))
               : b_.splat(type, random_.pick(kUsual));
  return b_.constant(type, {type.dtype, scalar.data});
}

ValueId GraphGrower::scalarOf(ValueId value) {
  const Type &type = graph_.type(value);
  if (type.rank() == 0)
    return value;
  std::vector<int64_t> axes;
  for (size_t i = 0; i < type.rank(); ++i)
    axes.push_back(static_cast<int64_t>(i));
  if (type.dtype == DType::Bool)
    return b_.reduce(OpKind::ReduceMax, value, axes);
  if (type.dtype == DType::BF16)
    return scalarOf(b_.convert(value, DType::F32));
  return b_.sum(value, axes);
}

ValueId GraphGrower::coerce(ValueId from, const Type &type) {
  if (!(graph_.type(from).shape == type.shape)) {
    from = scalarOf(from);
    if (type.rank() > 0)
      from = b_.broadcast(from, type.shape, {});
  }
  return graph_.type(from).dtype == type.dtype ? from : b_.convert(from, type.dtype);
}

ValueId GraphGrower::valueOf(const Type &type) {
  settle();
  if (!random_.oneIn(5))
    if (auto found = find([&](const Type &other) { return other == type; }))
      return *found;
  if (newArgument && !random_.oneIn(3))
    if (auto argument = newArgument(type))
      return *argument;
  const bool mayBreak = !asksDerivatives() || type.dtype != DType::BF16;
  if (mayBreak && random_.oneIn(2))
    if (auto found = find(
            [&](const Type &other) { return !asksDerivatives() || other.dtype != DType::BF16; }))
      return coerce(*found, type);
  return constant(type);
}

std::vector<int64_t> GraphGrower::drawAxes(size_t rank) {
  std::vector<int64_t> axes;
  for (size_t i = 0; i < rank; ++i)
    if (random_.oneIn(2))
      axes.push_back(static_cast<int64_t>(i));
  // No axis at all is allowed, and seldom meant.
  if (axes.empty() && rank > 0 && !random_.oneIn(10))
    axes.push_back(static_cast<int64_t>(random_.below(rank)));
  return axes;
}

Shape GraphGrower::without(const Shape &shape, const std::vector<int64_t> &axes) const {
  Shape rest;
  for (size_t i = 0; i < shape.size(); ++i)
    if (!std::ranges::binary_search(axes, static_cast<int64_t>(i)))
      rest.push_back(shape[i]);
  return rest;
}

// ---- element by element ----

bool GraphGrower::addElementwise(OpKind kind) {
  switch (opInfo(kind).family) {
  case OpFamily::Binary:
    return addBinary(kind, Elements::Number);
  case OpFamily::BinaryFloat:
    return addBinary(kind, Elements::Float);
  case OpFamily::BinaryInteger:
    return addBinary(kind, Elements::Integer);
  case OpFamily::BinaryLogic:
    return addBinary(kind, Elements::Logic);
  case OpFamily::Compare:
    return addBinary(kind, Elements::NoBf16);
  case OpFamily::Ternary: {
    const ValueId x = operand(Elements::Float);
    const Type type = graph_.type(x);
    const ValueId y = valueOf(type), z = valueOf(type);
    b_.fma(x, y, z);
    return true;
  }
  case OpFamily::Select:
    return addSelect();
  case OpFamily::Convert:
    return addConvert();
  case OpFamily::Bitcast:
    return addBitcast();
  default:
    return addUnary(kind);
  }
}

bool GraphGrower::addUnary(OpKind kind) {
  switch (kind) {
  case OpKind::Neg:
  case OpKind::Abs:
  case OpKind::Sign:
    b_.unary(kind, operand(Elements::Number));
    return true;
  case OpKind::Not:
    b_.unary(kind, operand(Elements::Logic));
    return true;
  case OpKind::StopGradient:
    b_.unary(kind, operand(Elements::Any));
    return true;
  case OpKind::Floor:
  case OpKind::Ceil:
  case OpKind::Round:
    if (asksDerivatives() && depth_ > 0)
      return false;
    break;
  default:
    break;
  }
  ValueId x = operand(Elements::Float);
  // In f64 most are expansions into dozens of ops.
  if (graph_.type(x).dtype == DType::F64 && !random_.oneIn(4))
    x = b_.convert(x, DType::F32);
  b_.unary(kind, x);
  return true;
}

bool GraphGrower::addBinary(OpKind kind, Elements elements) {
  ValueId x = operand(elements);
  if (elements == Elements::Float && graph_.type(x).dtype == DType::F64 && !random_.oneIn(4))
    x = b_.convert(x, DType::F32);
  ValueId y = valueOf(graph_.type(x));
  if (random_.oneIn(2))
    std::swap(x, y);
  b_.binary(kind, x, y);
  return true;
}

bool GraphGrower::addSelect() {
  const ValueId yes = operand(Elements::Any);
  const Type type = graph_.type(yes);
  const ValueId no = valueOf(type);
  const ValueId condition = valueOf({DType::Bool, type.shape});
  if (random_.oneIn(2))
    b_.select(condition, yes, no);
  else
    b_.select(condition, no, yes);
  return true;
}

bool GraphGrower::addConvert() {
  const ValueId x = operand(Elements::Any);
  const DType to = drawDType(Elements::Any);
  if (asksDerivatives() && depth_ > 0 && (to == DType::BF16 || graph_.type(x).dtype == DType::BF16))
    return false;
  b_.convert(x, to);
  return true;
}

bool GraphGrower::addBitcast() {
  if (asksDerivatives() && depth_ > 0)
    return false;
  const ValueId x = operand(Elements::NoBool);
  static constexpr std::pair<DType, DType> kPairs[] = {{DType::F32, DType::I32},
                                                       {DType::I32, DType::F32},
                                                       {DType::F64, DType::I64},
                                                       {DType::I64, DType::F64}};
  DType to = graph_.type(x).dtype;
  for (auto [from, other] : kPairs)
    if (from == graph_.type(x).dtype && !random_.oneIn(6))
      to = other;
  b_.bitcast(x, to);
  return true;
}

} // namespace apr::fuzz
