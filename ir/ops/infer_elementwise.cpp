// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/ops/families.h"

#include <fmt/format.h>

namespace apr {

namespace {

/// Which dtypes a unary op takes beyond floats.
bool takesIntegers(OpKind kind) {
  return kind == OpKind::Neg || kind == OpKind::Abs || kind == OpKind::Sign;
}

bool accepts(OpKind kind, DType dtype) {
  switch (opInfo(kind).family) {
  case OpFamily::Unary:
    return isFloat(dtype) || (takesIntegers(kind) && isInteger(dtype));
  case OpFamily::UnaryLogic:
  case OpFamily::BinaryLogic:
    return dtype == DType::Bool || isInteger(dtype);
  case OpFamily::Binary:
    return isFloat(dtype) || isInteger(dtype);
  case OpFamily::Compare:
    return dtype != DType::BF16;
  case OpFamily::BinaryFloat:
  case OpFamily::Ternary:
    return isFloat(dtype);
  case OpFamily::BinaryInteger:
    return isInteger(dtype);
  default: // Identity and Select take every dtype
    return true;
  }
}

std::string_view expectation(OpKind kind) {
  switch (opInfo(kind).family) {
  case OpFamily::UnaryLogic:
  case OpFamily::BinaryLogic:
    return "bool or an integer dtype";
  case OpFamily::BinaryInteger:
    return "an integer dtype";
  case OpFamily::Binary:
    return "a float or integer dtype";
  case OpFamily::Compare:
    return "a dtype other than bf16, which is for storage";
  default:
    return takesIntegers(kind) ? "a float or integer dtype" : "f32 or f64";
  }
}

} // namespace

InferredTypes inferElementwise(const TypeQuery &query) {
  const OpInfo &info = opInfo(query.kind);
  if (info.family == OpFamily::Select) {
    const Type &condition = query.operands[0], &yes = query.operands[1], &no = query.operands[2];
    if (condition.dtype != DType::Bool)
      return Error{fmt::format("the condition is {}, expected bool", str(condition))};
    if (!(yes == no) || condition.shape != yes.shape)
      return Error{fmt::format("select of {}, {} and {}: the shapes must be equal and the last two "
                               "of one dtype",
                               str(condition), str(yes), str(no))};
    return std::vector<Type>{yes};
  }
  const Type &first = query.operands[0];
  for (const Type &other : query.operands)
    if (!(other == first))
      return Error{fmt::format("operand types {} and {} differ", str(first), str(other))};
  if (!accepts(query.kind, first.dtype))
    return Error{fmt::format("operand is {}, expected {}", str(first), expectation(query.kind))};
  if (info.family == OpFamily::Compare)
    return std::vector<Type>{{DType::Bool, first.shape}};
  return std::vector<Type>{first};
}

InferredTypes inferConversion(const TypeQuery &query) {
  const Type &from = query.operands[0], &to = query.given[0];
  if (from.shape != to.shape)
    return Error{
        fmt::format("result {} has another shape than the operand {}", str(to), str(from))};
  if (query.kind == OpKind::Bitcast && (byteSize(from.dtype) != byteSize(to.dtype) ||
                                        from.dtype == DType::Bool || to.dtype == DType::Bool))
    return Error{
        fmt::format("{} and {} differ in size, or one is bool", name(from.dtype), name(to.dtype))};
  return std::vector<Type>{to};
}

} // namespace apr
