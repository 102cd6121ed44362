// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators of expressions: constants exactly, tensors element by element, bundles leaf by leaf.
#include "ir/frontend/elaborator.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::frontend {

namespace {

std::string_view spelling(BinaryOp op) {
  switch (op) {
  case BinaryOp::Add:
    return "+";
  case BinaryOp::Subtract:
    return "-";
  case BinaryOp::Multiply:
    return "*";
  case BinaryOp::Divide:
    return "/";
  case BinaryOp::FloorDivide:
    return "//";
  case BinaryOp::Remainder:
    return "%";
  case BinaryOp::Power:
    return "**";
  case BinaryOp::MatrixMultiply:
    return "@";
  case BinaryOp::Equal:
    return "==";
  case BinaryOp::NotEqual:
    return "!=";
  case BinaryOp::Less:
    return "<";
  case BinaryOp::LessEqual:
    return "<=";
  case BinaryOp::Greater:
    return ">";
  case BinaryOp::GreaterEqual:
    return ">=";
  case BinaryOp::And:
    return "and";
  case BinaryOp::Or:
    return "or";
  }
  return "";
}

std::optional<OpKind> comparison(BinaryOp op) {
  switch (op) {
  case BinaryOp::Equal:
    return OpKind::Eq;
  case BinaryOp::NotEqual:
    return OpKind::Ne;
  case BinaryOp::Less:
    return OpKind::Lt;
  case BinaryOp::LessEqual:
    return OpKind::Le;
  case BinaryOp::Greater:
    return OpKind::Gt;
  case BinaryOp::GreaterEqual:
    return OpKind::Ge;
  default:
    return std::nullopt;
  }
}

Value constantDim(const Dim &dim) {
  if (auto known = dim.asConstant())
    return NumberValue{Rational(*known)};
  return DimValue{dim};
}

bool isConstant(const Value &value) { return value.is<NumberValue>() || value.is<DimValue>(); }
bool isCompileTime(const Value &value) {
  return isConstant(value) || value.is<BoolValue>() || value.is<StringValue>() ||
         value.is<DTypeValue>() || value.is<NoneValue>();
}

bool isOrdered(int order, BinaryOp op) {
  switch (op) {
  case BinaryOp::Equal:
    return order == 0;
  case BinaryOp::NotEqual:
    return order != 0;
  case BinaryOp::Less:
    return order < 0;
  case BinaryOp::LessEqual:
    return order <= 0;
  case BinaryOp::Greater:
    return order > 0;
  default:
    return order >= 0;
  }
}

} // namespace

// ---- constants ----

std::optional<Value> Elaborator::constantArithmetic(BinaryOp op, const Value &left,
                                                    const Value &right, Location location) {
  auto checked = [&](const Result<Rational> &result) -> Value {
    if (!result)
      fail(DiagnosticKind::BadConstant, location, result.error());
    return NumberValue{*result};
  };
  auto *a = left.as<NumberValue>();
  auto *b = right.as<NumberValue>();
  if (a && b) {
    if (a->kind != NumberValue::Kind::Finite || b->kind != NumberValue::Kind::Finite)
      return std::nullopt;
    switch (op) {
    case BinaryOp::Add:
      return checked(Rational::add(a->value, b->value));
    case BinaryOp::Subtract:
      return checked(Rational::subtract(a->value, b->value));
    case BinaryOp::Multiply:
      return checked(Rational::multiply(a->value, b->value));
    case BinaryOp::Divide:
      return checked(Rational::divide(a->value, b->value));
    case BinaryOp::FloorDivide:
      return checked(Rational::floorDivide(a->value, b->value));
    case BinaryOp::Remainder: {
      Result<Rational> quotient = Rational::floorDivide(a->value, b->value);
      if (!quotient)
        return checked(quotient);
      Result<Rational> product = Rational::multiply(*quotient, b->value);
      return checked(product ? Rational::subtract(a->value, *product) : product);
    }
    case BinaryOp::Power: {
      auto exponent = b->value.asInt64();
      if (!exponent)
        return std::nullopt;
      return checked(Rational::power(a->value, *exponent));
    }
    default:
      return std::nullopt;
    }
  }
  auto x = asDim(left);
  auto y = asDim(right);
  if (!x || !y)
    return std::nullopt;
  auto whole = [&](const Dim &dim) -> Value {
    if (!dim.isValid())
      fail(DiagnosticKind::BadConstant, location, "the size is too large to be computed");
    return constantDim(dim);
  };
  bool isZero = y->asConstant() == 0;
  if (isZero &&
      (op == BinaryOp::Divide || op == BinaryOp::FloorDivide || op == BinaryOp::Remainder))
    fail(DiagnosticKind::BadConstant, location, "division by zero");
  switch (op) {
  case BinaryOp::Add:
    return whole(*x + *y);
  case BinaryOp::Subtract:
    return whole(*x - *y);
  case BinaryOp::Multiply:
    return whole(*x * *y);
  case BinaryOp::Divide:
    if (auto quotient = x->dividedExactlyBy(*y))
      return whole(*quotient);
    return std::nullopt;
  case BinaryOp::FloorDivide:
    return whole(Dim::floorDivide(*x, *y));
  case BinaryOp::Remainder:
    return whole(*x - *y * Dim::floorDivide(*x, *y));
  case BinaryOp::Power: {
    auto exponent = y->asConstant();
    if (!exponent || *exponent < 0 || *exponent > 8)
      return std::nullopt;
    Dim result = 1;
    for (int64_t i = 0; i < *exponent; ++i)
      result *= *x;
    return whole(result);
  }
  default:
    return std::nullopt;
  }
}

Value Elaborator::compareConstants(BinaryOp op, const Value &left, const Value &right,
                                   Location location) {
  bool isEquality = op == BinaryOp::Equal || op == BinaryOp::NotEqual;
  auto answer = [&](bool isEqual) { return BoolValue{isEqual == (op == BinaryOp::Equal)}; };
  if (isEquality && (left.is<NoneValue>() || right.is<NoneValue>()))
    return answer(left.is<NoneValue>() && right.is<NoneValue>());
  if (isEquality && left.content.index() == right.content.index()) {
    if (auto *boolean = left.as<BoolValue>())
      return answer(boolean->value == right.as<BoolValue>()->value);
    if (auto *string = left.as<StringValue>())
      return answer(string->text == right.as<StringValue>()->text);
    if (auto *dtype = left.as<DTypeValue>())
      return answer(dtype->dtype == right.as<DTypeValue>()->dtype);
  }
  auto *a = left.as<NumberValue>();
  auto *b = right.as<NumberValue>();
  if (a && b && a->kind == NumberValue::Kind::Finite && b->kind == NumberValue::Kind::Finite)
    return BoolValue{isOrdered(Rational::compare(a->value, b->value), op)};
  auto x = asDim(left);
  auto y = asDim(right);
  if (x && y) {
    if (auto difference = (*x - *y).asConstant())
      return BoolValue{isOrdered(*difference < 0 ? -1 : *difference > 0 ? 1 : 0, op)};
    fail(DiagnosticKind::OpenDim, location,
         fmt::format("whether {} {} {} depends on an open size", x->str(), spelling(op), y->str()));
  }
  fail(DiagnosticKind::KindMismatch, location,
       fmt::format("'{}' does not compare {} with {}", spelling(op), describe(left),
                   describe(right)));
}

// ---- values of the current graph ----

TensorValue Elaborator::make(ValueId id, bool isWeak) {
  return {id, context_, context_->graph().type(id), isWeak, std::nullopt};
}

Value Elaborator::read(const Value &value, Location location) {
  if (value.is<PoisonValue>())
    throw Failed{};
  if (auto *state = value.as<StateValue>()) {
    const StateTensor &tensor = tables_.states[state->index].tensor;
    if (context_->purpose == FunctionContext::Purpose::Members)
      fail(DiagnosticKind::KindMismatch, location,
           fmt::format("'{}' has no value while members are made", tensor.name));
    return make(context_->stateValue(state->index), state->isWeak);
  }
  if (auto *hyper = value.as<HyperValue>())
    return make(context_->hyper(hyper->index), true);
  auto *tensor = value.as<TensorValue>();
  if (!tensor || tensor->owner == context_)
    return value;
  auto imported = context_->import(*tensor->owner, tensor->id);
  if (!imported)
    fail(DiagnosticKind::NotInApply, location,
         "this value depends on the inputs or parameters of the step",
         "'using' sees hyperparameters, 'step' and gradients only");
  return make(*imported, tensor->isWeak);
}

TensorValue Elaborator::convertTo(const TensorValue &tensor, DType dtype) {
  if (tensor.type.dtype == dtype)
    return tensor;
  return make(context_->builder.convert(tensor.id, dtype), tensor.isWeak);
}

TensorValue Elaborator::constantOf(const NumberValue &number, DType dtype, Location location) {
  Type type{dtype, {}};
  Builder &builder = context_->builder;
  if (number.kind != NumberValue::Kind::Finite) {
    if (!isFloat(dtype))
      fail(DiagnosticKind::BadConstant, location,
           fmt::format("inf has no place in {}", name(dtype)));
    double infinity = std::numeric_limits<double>::infinity();
    return make(
        builder.splat(type, number.kind == NumberValue::Kind::Infinity ? infinity : -infinity));
  }
  if (isFloat(dtype)) {
    double value =
        dtype == DType::F64 ? number.value.toDouble() : static_cast<double>(number.value.toFloat());
    if (std::abs(value) == std::numeric_limits<double>::infinity())
      fail(DiagnosticKind::BadConstant, location,
           fmt::format("{} is too large for {}", number.value.str(), name(dtype)));
    return make(builder.splat(type, value));
  }
  auto whole = number.value.asInt64();
  bool fits = whole && (dtype == DType::I64 ||
                        (dtype == DType::I32 && *whole == static_cast<int32_t>(*whole)) ||
                        (dtype == DType::U8 && *whole == static_cast<uint8_t>(*whole)));
  if (dtype == DType::Bool || !fits)
    fail(DiagnosticKind::BadConstant, location,
         fmt::format("{} is not a value of {}", number.value.str(), name(dtype)),
         dtype == DType::Bool ? "compare with '== 0' or '!= 0'" : "convert the tensor: 'real(x)'");
  return make(builder.splatInteger(type, *whole));
}

/// The IR has no op for a dim's value; it is the last element of an iota of dim + 1 elements.
TensorValue Elaborator::dimTensor(const Dim &dim, DType dtype) {
  Builder &builder = context_->builder;
  if (auto known = dim.asConstant())
    return make(isFloat(dtype) ? builder.splat({dtype, {}}, static_cast<double>(*known))
                               : builder.splatInteger({dtype, {}}, *known));
  DType wide = isFloat(dtype) ? DType::F64 : DType::I64;
  ValueId counts = builder.iota({wide, {dim + Dim(1)}}, 0);
  ValueId last = builder.slice(counts, {dim}, {dim + Dim(1)}, {1});
  ValueId value = builder.named("size").reshape(last, {});
  return convertTo(make(value), dtype);
}

TensorValue Elaborator::tensorOfList(const ListValue &list, DType dtype, Location location) {
  Shape shape;
  std::vector<const Value *> level{nullptr};
  std::vector<const ListValue *> lists{&list};
  while (!lists.empty()) {
    size_t size = lists.front()->elements.size();
    shape.emplace_back(static_cast<int64_t>(size));
    level.clear();
    std::vector<const ListValue *> inner;
    for (const ListValue *row : lists) {
      if (row->elements.size() != size)
        fail(DiagnosticKind::ShapeMismatch, location,
             fmt::format("rows of {} and {} elements in one list", size, row->elements.size()));
      for (const Value &element : row->elements) {
        level.push_back(&element);
        if (auto *nested = element.as<ListValue>())
          inner.push_back(nested);
      }
    }
    if (!inner.empty() && inner.size() != level.size())
      fail(DiagnosticKind::ShapeMismatch, location, "a list mixes numbers and lists");
    lists = std::move(inner);
  }
  Literal literal{dtype, {}};
  for (const Value *element : level) {
    ValueId id;
    if (auto *number = element->as<NumberValue>())
      id = constantOf(*number, dtype, location).id;
    else if (auto *boolean = element->as<BoolValue>(); boolean && dtype == DType::Bool)
      id = context_->builder.splatInteger({DType::Bool, {}}, boolean->value);
    else
      fail(DiagnosticKind::KindMismatch, location,
           fmt::format("a list of constants holds {}", describe(*element)),
           "join tensors with stack([…]) or concat([…])");
    const Literal &one = context_->graph().definition(id)->attributes.literal();
    literal.bytes.insert(literal.bytes.end(), one.bytes.begin(), one.bytes.end());
  }
  return make(context_->builder.constant({dtype, shape}, std::move(literal)));
}

TensorValue Elaborator::requireTensor(const Value &given, DType dtype, Location location,
                                      std::string_view what) {
  Value value = read(given, location);
  if (auto *number = value.as<NumberValue>())
    return constantOf(*number, dtype, location);
  if (auto *dim = value.as<DimValue>())
    return dimTensor(dim->dim, dtype);
  if (auto *list = value.as<ListValue>())
    return tensorOfList(*list, dtype, location);
  auto *tensor = value.as<TensorValue>();
  if (!tensor)
    fail(DiagnosticKind::KindMismatch, location,
         fmt::format("{} must be a tensor, found {}", what, describe(value)));
  if (tensor->isWeak && isFloat(tensor->type.dtype) == isFloat(dtype)) {
    TensorValue converted = convertTo(*tensor, dtype);
    converted.isWeak = false;
    return converted;
  }
  if (tensor->type.dtype != dtype) {
    std::vector<DiagnosticNote> notes;
    addOrigin(notes, *tensor, "it");
    fail(DiagnosticKind::DTypeMismatch, location,
         fmt::format("{} must be of dtype {}, found {}", what, name(dtype), str(tensor->type)),
         fmt::format("convert it: '{}(…)'", name(dtype)), std::move(notes));
  }
  return *tensor;
}

TensorValue Elaborator::anyTensor(const Value &given, Location location, std::string_view what) {
  Value value = read(given, location);
  if (auto *tensor = value.as<TensorValue>())
    return *tensor;
  TensorValue tensor =
      requireTensor(value, value.is<ListValue>() ? real_ : DType::F64, location, what);
  tensor.isWeak = !value.is<ListValue>();
  return tensor;
}

ValueId Elaborator::requireType(const Value &value, const Type &type, Location location,
                                std::string_view what) {
  TensorValue tensor = requireTensor(value, type.dtype, location, what);
  if (tensor.type.shape != type.shape) {
    std::vector<DiagnosticNote> notes;
    addOrigin(notes, tensor, "it");
    fail(DiagnosticKind::ShapeMismatch, location,
         fmt::format("{} must be {}, found {}", what, str(type), str(tensor.type)),
         tensor.type.shape.empty() ? "fill a shape with 'constant(value)' or 'zeros()'" : "",
         std::move(notes));
  }
  return tensor.id;
}

void Elaborator::addOrigin(std::vector<DiagnosticNote> &notes, const TensorValue &tensor,
                           std::string_view role) {
  const apr::Value &value = tensor.owner->function.graph.value(tensor.id);
  if (!value.location.isKnown())
    return;
  std::string named = value.name.empty() ? std::string(role) : fmt::format("'{}'", value.name);
  notes.push_back({value.location, fmt::format("{} is {}", named, str(tensor.type))});
}

// ---- broadcasting ----

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

// ---- binary operators ----

Value Elaborator::binary(BinaryOp op, const Value &left, const Value &right, Location location,
                         Location leftLocation, Location rightLocation) {
  if (left.is<PoisonValue>() || right.is<PoisonValue>())
    throw Failed{};
  auto compare = comparison(op);
  bool isEquality = op == BinaryOp::Equal || op == BinaryOp::NotEqual;
  if (compare && ((isCompileTime(left) && isCompileTime(right)) ||
                  (isEquality && (left.is<NoneValue>() || right.is<NoneValue>()))))
    return compareConstants(op, left, right, location);
  if (isConstant(left) && isConstant(right))
    if (auto constant = constantArithmetic(op, left, right, location))
      return *constant;
  if (isBundleLike(left) || isBundleLike(right))
    return bundleArithmetic(op, left, right, location);
  if (compare)
    return elementwise(*compare, {left, right}, location, fmt::format("'{}'", spelling(op)),
                       {leftLocation, rightLocation});
  if (op == BinaryOp::MatrixMultiply)
    return matrixMultiply(left, right, location);
  if (op == BinaryOp::Power && right.is<NumberValue>())
    return power(anyTensor(left, leftLocation, "the base"), right, location);

  OpKind kind = OpKind::Add;
  std::string what = fmt::format("'{}'", spelling(op));
  Value a = read(left, leftLocation);
  Value b = read(right, rightLocation);
  auto isInteger = [](const Value &value) {
    auto *tensor = value.as<TensorValue>();
    return tensor && !isFloat(tensor->type.dtype);
  };
  bool areIntegers = isInteger(a) || isInteger(b);
  switch (op) {
  case BinaryOp::Add:
    break;
  case BinaryOp::Subtract:
    kind = OpKind::Sub;
    break;
  case BinaryOp::Multiply:
    kind = OpKind::Mul;
    break;
  case BinaryOp::Divide:
    kind = OpKind::Div;
    if (areIntegers)
      fail(DiagnosticKind::DTypeMismatch, location,
           "'/' divides floats; integer tensors have no exact quotient",
           "'//' rounds down, or convert with 'real(x)'");
    break;
  case BinaryOp::FloorDivide:
    kind = OpKind::Div;
    break;
  case BinaryOp::Remainder:
    kind = OpKind::Rem;
    break;
  case BinaryOp::Power:
    kind = OpKind::Pow;
    break;
  default:
    fail(DiagnosticKind::KindMismatch, location,
         fmt::format("{} between {} and {}", what, describe(a), describe(b)));
  }
  Value result = elementwise(kind, {a, b}, location, what, {leftLocation, rightLocation});
  auto &tensor = *result.as<TensorValue>();
  if (op == BinaryOp::FloorDivide && isFloat(tensor.type.dtype))
    tensor = make(context_->builder.unary(OpKind::Floor, tensor.id), tensor.isWeak);
  if (context_->purpose == FunctionContext::Purpose::Eval && tensor.type.shape.empty()) {
    TensorValue x = a.is<TensorValue>() ? *a.as<TensorValue>() : TensorValue{};
    TensorValue y = b.is<TensorValue>() ? *b.as<TensorValue>() : TensorValue{};
    // The divisor that turns a sum into a mean is the number of its terms.
    auto count = asDim(b);
    if (op == BinaryOp::Divide && x.rows && x.rows->kind == RowForm::Kind::Sum && count) {
      const Shape &terms = context_->graph().type(x.rows->terms).shape;
      if (elementCount(terms) == *count)
        tensor.rows = RowForm{RowForm::Kind::Mean, x.rows->terms};
      if (tensor.rows && terms.size() > 1) {
        Builder &builder = context_->builder;
        std::vector<int64_t> axes;
        for (size_t i = 1; i < terms.size(); ++i)
          axes.push_back(static_cast<int64_t>(i));
        ValueId sums = builder.sum(x.rows->terms, axes);
        Dim perRow = elementCount({terms.begin() + 1, terms.end()});
        ValueId divisor = dimTensor(perRow, tensor.type.dtype).id;
        tensor.rows->terms =
            builder.div(sums, builder.broadcastTail(divisor, builder.type(sums).shape));
      }
    } else {
      tensor.rows = combineRows(op, x, y, tensor);
      if (!tensor.rows && (x.rows || y.rows) && (a.is<NumberValue>() || b.is<NumberValue>())) {
        // One side is a constant: take the operand that elementwise made of it.
        const Op &made = *context_->graph().definition(tensor.id);
        x = a.is<NumberValue>() ? make(made.operands[0]) : x;
        y = b.is<NumberValue>() ? make(made.operands[1]) : y;
        tensor.rows = combineRows(op, x, y, tensor);
      }
    }
  }
  return result;
}

/// Sums of means and multiples of one keep one value per row.
std::optional<RowForm> Elaborator::combineRows(BinaryOp op, const TensorValue &left,
                                               const TensorValue &right,
                                               const TensorValue &result) {
  auto isMean = [](const TensorValue &tensor) {
    return tensor.rows && tensor.rows->kind == RowForm::Kind::Mean;
  };
  if ((!isMean(left) && !isMean(right)) || left.id == kNoValue || right.id == kNoValue)
    return std::nullopt;
  Builder &builder = context_->builder;
  const Shape shape = builder.type(isMean(left) ? left.rows->terms : right.rows->terms).shape;
  if (isMean(left) && isMean(right) && builder.type(right.rows->terms).shape != shape)
    return std::nullopt;
  bool isSum = op == BinaryOp::Add || op == BinaryOp::Subtract;
  bool isMultiple = (op == BinaryOp::Multiply && isMean(left) != isMean(right)) ||
                    (op == BinaryOp::Divide && isMean(left) && !isMean(right));
  if (!isSum && !isMultiple)
    return std::nullopt;
  auto rowsOf = [&](const TensorValue &tensor) {
    if (isMean(tensor))
      return tensor.rows->terms;
    return builder.broadcastTail(convertTo(tensor, result.type.dtype).id, shape);
  };
  OpKind kind = op == BinaryOp::Add        ? OpKind::Add
                : op == BinaryOp::Subtract ? OpKind::Sub
                : op == BinaryOp::Multiply ? OpKind::Mul
                                           : OpKind::Div;
  ValueId a = rowsOf(left);
  ValueId b = rowsOf(right);
  return RowForm{RowForm::Kind::Mean, builder.binary(kind, a, b)};
}

/// Whole powers are products, by squaring; one half is a square root.
Value Elaborator::power(const TensorValue &base, const Value &exponent, Location location) {
  const NumberValue &number = *exponent.as<NumberValue>();
  Builder &builder = context_->builder;
  auto whole = number.kind == NumberValue::Kind::Finite ? number.value.asInt64() : std::nullopt;
  constexpr int64_t kMaximumProducts = 64;
  if (whole && *whole >= -kMaximumProducts && *whole <= kMaximumProducts &&
      (isFloat(base.type.dtype) || *whole >= 0)) {
    if (base.type.dtype == DType::Bool)
      fail(DiagnosticKind::DTypeMismatch, location, "'**' takes numbers, found bool");
    ValueId result = kNoValue;
    ValueId square = base.id;
    for (int64_t rest = *whole < 0 ? -*whole : *whole; rest != 0; rest >>= 1) {
      if ((rest & 1) != 0)
        result = result == kNoValue ? square : builder.mul(result, square);
      if (rest > 1)
        square = builder.mul(square, square);
    }
    ValueId one = result == kNoValue || *whole < 0
                      ? (isFloat(base.type.dtype) ? builder.splat(base.type, 1)
                                                  : builder.splatInteger(base.type, 1))
                      : kNoValue;
    if (result == kNoValue)
      result = one;
    else if (*whole < 0)
      result = builder.div(one, result);
    return make(result, base.isWeak);
  }
  bool isHalf = number.kind == NumberValue::Kind::Finite &&
                Rational::compare(number.value, *Rational::divide(1, 2)) == 0;
  bool isMinusHalf = number.kind == NumberValue::Kind::Finite &&
                     Rational::compare(number.value, *Rational::divide(-1, 2)) == 0;
  if ((isHalf || isMinusHalf) && isFloat(base.type.dtype))
    return make(builder.unary(isHalf ? OpKind::Sqrt : OpKind::Rsqrt, base.id), base.isWeak);
  return elementwise(OpKind::Pow, {base, exponent}, location, "'**'", {location, location});
}

Value Elaborator::negate(const Value &value, Location location) {
  if (auto *number = value.as<NumberValue>()) {
    if (number->kind == NumberValue::Kind::Finite)
      return NumberValue{number->value.negated()};
    return NumberValue{{},
                       number->kind == NumberValue::Kind::Infinity
                           ? NumberValue::Kind::NegativeInfinity
                           : NumberValue::Kind::Infinity};
  }
  if (auto *dim = value.as<DimValue>())
    return constantDim(Dim(0) - dim->dim);
  if (isBundleLike(value))
    return mapBundle(bundleOf(value, location),
                     [&](const Value &leaf) { return negate(leaf, location); });
  Value result = elementwise(OpKind::Neg, {value}, location, "'-'", {location});
  auto operand = read(value, location);
  if (auto *tensor = operand.as<TensorValue>();
      tensor && tensor->rows && tensor->rows->kind == RowForm::Kind::Mean)
    result.as<TensorValue>()->rows =
        RowForm{RowForm::Kind::Mean, context_->builder.neg(tensor->rows->terms)};
  return result;
}

Value Elaborator::logicalNot(const Value &value, Location location) {
  if (auto *boolean = value.as<BoolValue>())
    return BoolValue{!boolean->value};
  Value operand = read(value, location);
  auto *tensor = operand.as<TensorValue>();
  if (!tensor || tensor->type.dtype != DType::Bool)
    fail(DiagnosticKind::DTypeMismatch, location,
         fmt::format("'not' takes a bool, found {}", describe(operand)));
  return make(context_->builder.unary(OpKind::Not, tensor->id));
}

// ---- bundles ----

Value Elaborator::mapBundle(const BundleValue &bundle,
                            const std::function<Value(const Value &)> &function) {
  BundleValue result;
  for (const auto &[state, leaf] : bundle.leaves)
    result.leaves.emplace_back(state, function(leaf));
  return result;
}

Value Elaborator::bundleArithmetic(BinaryOp op, const Value &left, const Value &right,
                                   Location location) {
  auto apply = [&](const Value &a, const Value &b) {
    return binary(op, a, b, location, location, location);
  };
  if (!isBundleLike(right))
    return mapBundle(bundleOf(left, location),
                     [&](const Value &leaf) { return apply(leaf, right); });
  if (!isBundleLike(left))
    return mapBundle(bundleOf(right, location),
                     [&](const Value &leaf) { return apply(left, leaf); });
  BundleValue a = bundleOf(left, location);
  BundleValue b = bundleOf(right, location);
  if (a.leaves.size() != b.leaves.size())
    fail(DiagnosticKind::KindMismatch, location,
         fmt::format("'{}' of bundles of {} and {} tensors", spelling(op), a.leaves.size(),
                     b.leaves.size()));
  BundleValue result;
  for (size_t i = 0; i < a.leaves.size(); ++i)
    result.leaves.emplace_back(a.leaves[i].first, apply(a.leaves[i].second, b.leaves[i].second));
  return result;
}

// ---- matrix products ----

Value Elaborator::matrixMultiply(const Value &left, const Value &right, Location location) {
  auto operand = [&](const Value &value) {
    TensorValue tensor = anyTensor(value, location, "an operand of '@'");
    if (tensor.type.shape.empty())
      fail(DiagnosticKind::ShapeMismatch, location, "'@' takes matrices, found a scalar",
           "'*' multiplies by a scalar");
    return tensor;
  };
  TensorValue a = operand(left);
  TensorValue b = operand(right);
  auto mismatch = [&](std::string_view why) {
    std::vector<DiagnosticNote> notes;
    addOrigin(notes, a, "the left side");
    addOrigin(notes, b, "the right side");
    fail(DiagnosticKind::ShapeMismatch, location,
         fmt::format("'@' of {} and {}: {}", str(a.type), str(b.type), why), {}, notes);
  };
  if (a.type.dtype != b.type.dtype)
    mismatch("the dtypes differ");
  if (a.type.dtype == DType::Bool)
    mismatch("bools have no product");
  const Shape left0 = a.type.shape;
  const Shape right0 = b.type.shape;
  const Dim inner = left0.back();
  const Dim contracted = right0.size() == 1 ? right0[0] : right0[right0.size() - 2];
  if (inner != contracted)
    mismatch(fmt::format("the inner sizes {} and {} differ", inner.str(), contracted.str()));

  Builder &builder = context_->builder;
  Shape result(left0.begin(), left0.end() - 1);
  ValueId x = a.id;
  ValueId y = b.id;
  if (right0.size() <= 2) {
    // Every row of the left side meets one matrix: all its leading axes are rows.
    Dim rows = elementCount(result);
    x = left0.size() == 2 ? x : builder.reshape(x, {rows, inner});
    y = right0.size() == 2 ? y : builder.reshape(y, {inner, Dim(1)});
    if (right0.size() == 2)
      result.push_back(right0[1]);
  } else {
    Shape batch(right0.begin(), right0.end() - 2);
    if (left0.size() <= 2) {
      Shape wide = batch;
      wide.insert(wide.end(), left0.begin(), left0.end());
      x = builder.broadcastTail(x, wide);
      if (left0.size() == 1) {
        wide.insert(wide.end() - 1, Dim(1));
        x = builder.reshape(x, wide);
      }
      result.insert(result.begin(), batch.begin(), batch.end());
    } else if (Shape(left0.begin(), left0.end() - 2) != batch) {
      mismatch("the batch dims differ");
    }
    result.push_back(right0.back());
  }
  // A transposed operand is read in place.
  auto readsTransposed = [&](ValueId &value) {
    const Op *definition = context_->graph().definition(value);
    if (!definition || definition->kind != OpKind::Transpose)
      return false;
    const auto &perm = definition->attributes.integers(AttrKey::Perm);
    size_t rank = perm.size();
    bool swapsLast = perm[rank - 1] == static_cast<int64_t>(rank) - 2 &&
                     perm[rank - 2] == static_cast<int64_t>(rank) - 1;
    for (size_t i = 0; i + 2 < rank; ++i)
      swapsLast = swapsLast && perm[i] == static_cast<int64_t>(i);
    if (swapsLast)
      value = definition->operands[0];
    return swapsLast;
  };
  bool transposeA = readsTransposed(x);
  bool transposeB = readsTransposed(y);
  ValueId product = builder.at(location).matmul(x, y, transposeA, transposeB);
  if (builder.type(product).shape != result)
    product = builder.reshape(product, result);
  return make(product);
}

} // namespace apr::frontend
