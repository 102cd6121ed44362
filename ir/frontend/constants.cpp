// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arithmetic and comparison of what is known at compile time: exact, or as polynomials of dims.
#include "ir/frontend/operators.h"

#include <fmt/format.h>

namespace apr::frontend {

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

Value valueOf(const Dim &dim) {
  if (auto known = dim.asConstant())
    return NumberValue{Rational(*known)};
  return DimValue{dim};
}

namespace {

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
    return valueOf(dim);
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
  if (a && b) { // one of them infinite
    auto side = [](const NumberValue &number) {
      return number.kind == NumberValue::Kind::Finite     ? 0
             : number.kind == NumberValue::Kind::Infinity ? 1
                                                          : -1;
    };
    return BoolValue{isOrdered(side(*a) - side(*b), op)};
  }
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

} // namespace apr::frontend
