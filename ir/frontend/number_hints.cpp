// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/number_hints.h"

#include <fmt/format.h>

namespace apr::frontend {
namespace {

const NumberValue *findNumber(const Value &value) {
  auto *number = value.as<NumberValue>();
  return number && number->kind == NumberValue::Kind::Finite ? number : nullptr;
}

std::string named(const Expr &expr, const NumberValue &number) {
  auto *name = expr.as<NameExpr>();
  return name ? fmt::format("{} = {}", name->name, number.value.str()) : number.value.str();
}

} // namespace

std::string hintForQuotient(const Expr &expr, const std::function<Value(const Expr &)> &evaluate) {
  auto *quotient = expr.as<BinaryExpr>();
  if (!quotient || quotient->op != BinaryOp::Divide)
    return {};
  const Value left = evaluate(*quotient->left);
  const Value right = evaluate(*quotient->right);
  const NumberValue *dividend = findNumber(left);
  const NumberValue *divisor = findNumber(right);
  if (!dividend || !divisor || !dividend->value.isInteger() || !divisor->value.isInteger())
    return {};
  return fmt::format("{} does not divide {}", named(*quotient->right, *divisor),
                     named(*quotient->left, *dividend));
}

std::string hintForChannels(const Shape &found, const Dim &last) {
  if (found.size() < 3 || !last.isConstant() || found[1] != last || found.back() == last)
    return {};
  std::string axes = "0";
  for (size_t axis = 2; axis < found.size(); ++axis)
    axes += fmt::format(", {}", axis);
  return fmt::format("channels are the last axis: 'transpose(x, [{}, 1])' puts axis 1 there", axes);
}

} // namespace apr::frontend
