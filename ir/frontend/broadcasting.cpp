// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One dtype and one shape for the operands of element-wise operations.
#include "ir/frontend/operators.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::frontend {

namespace {

bool isTail(const Shape &tail, const Shape &shape) {
  return tail.size() <= shape.size() && std::equal(tail.rbegin(), tail.rend(), shape.rbegin());
}

bool isOne(const Dim &dim) { return dim.asConstant() == 1; }

/// Equal shapes; or one whole shape is the other's tail; or equal ranks where one side has the
/// number 1. Never tail and 1 at once, and a variable is never 1.
std::optional<Shape> broadcastShapes(const Shape &a, const Shape &b) {
  if (isTail(a, b))
    return b;
  if (isTail(b, a))
    return a;
  if (a.size() != b.size())
    return std::nullopt;
  Shape result;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || isOne(b[i]))
      result.push_back(a[i]);
    else if (isOne(a[i]))
      result.push_back(b[i]);
    else
      return std::nullopt;
  }
  return result;
}

ValueId broadcastTo(Builder &builder, ValueId value, const Shape &shape) {
  Shape own = builder.type(value).shape;
  if (own == shape)
    return value;
  if (isTail(own, shape))
    return builder.broadcastTail(value, shape);
  Shape kept;
  std::vector<int64_t> axes;
  for (size_t i = 0; i < own.size(); ++i) {
    if (own[i] != shape[i])
      continue;
    kept.push_back(own[i]);
    axes.push_back(static_cast<int64_t>(i));
  }
  return builder.broadcast(builder.reshape(value, kept), shape, axes);
}

/// What a user may have meant where two shapes do not fit.
std::string shapeHint(const Shape &a, const Shape &b) {
  const Shape &longer = a.size() >= b.size() ? a : b;
  const Shape &shorter = a.size() >= b.size() ? b : a;
  if (longer.size() == shorter.size() + 1 && isOne(longer.back()) &&
      std::equal(shorter.begin(), shorter.end(), longer.begin()))
    return "'squeeze(…)' drops the last axis of size 1; '[.., none]' adds one";
  if (longer.size() == shorter.size() + 1 &&
      std::equal(shorter.begin(), shorter.end(), longer.begin()))
    return "a shorter shape must be the end of the longer one; '[.., none]' adds an axis of size "
           "1, "
           "and reductions keep theirs with 'keep = true'";
  return {};
}

} // namespace

void Elaborator::unifyOperands(std::vector<TensorValue> &operands, Location location,
                               std::string_view what) {
  Shape shape = operands.front().type.shape;
  for (const TensorValue &operand : operands) {
    auto merged = broadcastShapes(shape, operand.type.shape);
    if (!merged) {
      std::vector<DiagnosticNote> notes;
      addOrigin(notes, operands.front(), "the left side");
      addOrigin(notes, operand, "the right side");
      fail(DiagnosticKind::ShapeMismatch, location,
           fmt::format("{} of {} and {}: the shapes do not fit", what, str(operands.front().type),
                       str(operand.type)),
           shapeHint(shape, operand.type.shape), std::move(notes));
    }
    shape = std::move(*merged);
  }
  for (TensorValue &operand : operands) {
    // A shape that merged in two steps may need both rules; that is refused too.
    const Shape &own = operand.type.shape;
    if (own.size() != shape.size() && !isTail(own, shape))
      fail(DiagnosticKind::ShapeMismatch, location,
           fmt::format("{} of {} in a result of {}: the shapes do not fit", what, str(operand.type),
                       str(shape)));
    if (own != shape) {
      bool isWeak = operand.isWeak;
      operand = make(broadcastTo(context_->builder, operand.id, shape), isWeak);
    }
  }
}

Value Elaborator::elementwise(OpKind op, std::vector<Value> operands, Location location,
                              std::string_view what, const std::vector<Location> &locations) {
  // The dtype is that of the tensors; weak scalars and constants follow.
  std::optional<DType> dtype;
  std::optional<DType> weak;
  const TensorValue *first = nullptr;
  size_t begin = op == OpKind::Select ? 1 : 0;
  for (size_t i = 0; i < operands.size(); ++i)
    operands[i] = read(operands[i], locations[i]);
  for (size_t i = begin; i < operands.size(); ++i) {
    auto *tensor = operands[i].as<TensorValue>();
    if (!tensor && !isConstant(operands[i]) && !operands[i].is<ListValue>() &&
        !(operands[i].is<BoolValue>()))
      fail(DiagnosticKind::KindMismatch, locations[i],
           fmt::format("{} takes tensors, found {}", what, describe(operands[i])));
    if (!tensor)
      continue;
    if (tensor->isWeak) {
      bool widens = weak == DType::I32 && tensor->type.dtype == DType::I64;
      bool narrows = weak == DType::I64 && tensor->type.dtype == DType::I32;
      if (weak && *weak != tensor->type.dtype && !widens && !narrows)
        fail(DiagnosticKind::DTypeMismatch, location,
             fmt::format("{} mixes a run-time integer with a run-time number", what),
             "convert the integer: 'real(n)'");
      if (!weak || widens)
        weak = tensor->type.dtype;
      continue;
    }
    if (dtype && *dtype != tensor->type.dtype) {
      std::vector<DiagnosticNote> notes;
      addOrigin(notes, *first, "the left side");
      addOrigin(notes, *tensor, "the right side");
      fail(DiagnosticKind::DTypeMismatch, location,
           fmt::format("{} of {} and {}: dtypes do not convert by themselves", what,
                       str(first->type), str(tensor->type)),
           fmt::format("convert one: '{}(…)'", isFloat(*dtype) ? "real" : name(*dtype)),
           std::move(notes));
    }
    dtype = tensor->type.dtype;
    first = tensor;
  }
  bool isWeak = !dtype;
  // Numbers alone: hyperparameter arithmetic is f64; a select between constants makes a tensor.
  if (op == OpKind::Select && !dtype && !weak)
    isWeak = false;
  DType target = dtype ? *dtype : weak ? *weak : op == OpKind::Select ? real_ : DType::F64;
  bool isLogic = op == OpKind::And || op == OpKind::Or || op == OpKind::Xor || op == OpKind::Not;
  if (isLogic && !dtype)
    target = DType::Bool;
  std::vector<TensorValue> tensors;
  for (size_t i = 0; i < operands.size(); ++i) {
    if (i < begin) {
      tensors.push_back(requireTensor(operands[i], DType::Bool, locations[i], "the condition"));
      isWeak = isWeak && tensors.back().type.shape.empty();
      continue;
    }
    if (auto *boolean = operands[i].as<BoolValue>()) {
      if (target != DType::Bool)
        fail(DiagnosticKind::KindMismatch, locations[i],
             fmt::format("{} takes tensors, found {}", what, describe(operands[i])));
      tensors.push_back(make(context_->builder.splatInteger({DType::Bool, {}}, boolean->value)));
      continue;
    }
    isWeak = isWeak && !operands[i].is<ListValue>();
    DType own = operands[i].is<ListValue>() && !dtype ? real_ : target;
    if (operands[i].is<ListValue>())
      target = own;
    tensors.push_back(requireTensor(operands[i], own, locations[i], what));
  }
  const OpInfo &info = opInfo(op);
  bool isComparison = info.family == OpFamily::Compare;
  bool needsFloat = info.family == OpFamily::BinaryFloat || info.family == OpFamily::Ternary ||
                    (info.family == OpFamily::Unary && op != OpKind::Neg && op != OpKind::Abs &&
                     op != OpKind::Sign);
  bool takesBool = isLogic || isComparison || op == OpKind::Select || op == OpKind::StopGradient;
  if (target == DType::BF16 && op != OpKind::Select && op != OpKind::StopGradient)
    fail(DiagnosticKind::DTypeMismatch, location,
         fmt::format("{} does not compute with bf16, which is for storage", what),
         "convert it: 'real(x)'");
  if ((needsFloat && !isFloat(target)) || (!takesBool && target == DType::Bool))
    fail(DiagnosticKind::DTypeMismatch, location,
         fmt::format("{} takes {}, found {}", what, needsFloat ? "floats" : "numbers",
                     str(tensors.back().type)),
         "convert it: 'real(x)'");
  if ((isLogic || info.family == OpFamily::BinaryInteger) && isFloat(target))
    fail(DiagnosticKind::DTypeMismatch, location,
         fmt::format("{} takes {}, found {}", what, isLogic ? "bools or integers" : "integers",
                     str(tensors.back().type)));
  unifyOperands(tensors, location, what);
  std::vector<ValueId> ids;
  for (const TensorValue &tensor : tensors)
    ids.push_back(tensor.id);
  return make(context_->builder.at(location).create(op, std::move(ids)), isWeak && !isComparison);
}

} // namespace apr::frontend
