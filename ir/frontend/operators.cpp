// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators of expressions: tensors element by element, bundles leaf by leaf.
#include "ir/frontend/operators.h"

#include <fmt/format.h>

namespace apr::frontend {

namespace {

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

bool isCompileTime(const Value &value) {
  return isConstant(value) || value.is<BoolValue>() || value.is<StringValue>() ||
         value.is<DTypeValue>() || value.is<NoneValue>();
}

} // namespace

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
    if (!areIntegers)
      return floatRemainder(a, b, location, leftLocation, rightLocation);
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

/// x - floor(x / y) * y, each step rounded: the sign of y, and NaN where y is 0 or infinite.
Value Elaborator::floatRemainder(const Value &left, const Value &right, Location location,
                                 Location leftLocation, Location rightLocation) {
  auto apply = [&](BinaryOp op, const Value &x, const Value &y) {
    return binary(op, x, y, location, leftLocation, rightLocation);
  };
  // The quotient is constant between its steps.
  Value whole = apply(BinaryOp::FloorDivide, left, right);
  if (auto *tensor = whole.as<TensorValue>())
    whole = make(context_->builder.create(OpKind::StopGradient, {tensor->id}), tensor->isWeak);
  return apply(BinaryOp::Subtract, left, apply(BinaryOp::Multiply, whole, right));
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
    if (!apr::isFloat(base.type.dtype) && !apr::isInteger(base.type.dtype))
      fail(DiagnosticKind::DTypeMismatch, location,
           fmt::format("'**' takes numbers, found {}", name(base.type.dtype)),
           "convert it: 'real(x)'");
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
    return valueOf(Dim(0) - dim->dim);
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

} // namespace apr::frontend
