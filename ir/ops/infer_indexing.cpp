// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/ops/families.h"

#include <fmt/format.h>

namespace apr {

namespace {

std::optional<std::string> indexProblem(const Type &indices) {
  if (indices.dtype == DType::I32 || indices.dtype == DType::I64)
    return std::nullopt;
  return fmt::format("indices are {}, expected i32 or i64", str(indices));
}

/// operand[.., indices, ..]
InferredTypes gathered(const Type &operand, const Type &indices, int64_t axis) {
  if (axis < 0 || axis >= static_cast<int64_t>(operand.rank()))
    return Error{fmt::format("axis {} is outside {}", axis, str(operand))};
  auto at = operand.shape.begin() + axis;
  Type result{operand.dtype, Shape(operand.shape.begin(), at)};
  result.shape.insert(result.shape.end(), indices.shape.begin(), indices.shape.end());
  result.shape.insert(result.shape.end(), at + 1, operand.shape.end());
  return std::vector<Type>{result};
}

InferredTypes inferScatter(const TypeQuery &query) {
  const Type &operand = query.operands[0], &updates = query.operands[2];
  auto expected = gathered(operand, query.operands[1], query.attributes.integer(AttrKey::Axis));
  if (!expected)
    return expected;
  if (query.kind == OpKind::ScatterAdd && !isFloat(operand.dtype) && !isInteger(operand.dtype))
    return Error{fmt::format("operand is {}, expected a float or integer dtype", str(operand))};
  if (!(updates == expected->front()))
    return Error{fmt::format("updates are {}, expected {}", str(updates), str(expected->front()))};
  return std::vector<Type>{operand};
}

InferredTypes inferPick(const Type &operand, const Type &indices) {
  if (operand.rank() == 0 || Shape(operand.shape.begin(), operand.shape.end() - 1) != indices.shape)
    return Error{fmt::format("pick of {} by indices {}: the indices need the operand's shape "
                             "without its last axis",
                             str(operand), str(indices))};
  return std::vector<Type>{{operand.dtype, indices.shape}};
}

InferredTypes inferOneHot(const Type &indices, const Type &to) {
  if (to.dtype == DType::BF16)
    return Error{fmt::format("result is {}, expected a float, integer or bool dtype", str(to))};
  if (to.rank() != indices.rank() + 1 ||
      Shape(to.shape.begin(), to.shape.end() - 1) != indices.shape)
    return Error{fmt::format("result {} is not the shape of the indices {} and one more axis",
                             str(to), str(indices))};
  return std::vector<Type>{to};
}

} // namespace

InferredTypes inferIndexing(const TypeQuery &query) {
  OpFamily family = opInfo(query.kind).family;
  const Type &indices = query.operands[family == OpFamily::OneHot ? 0 : 1];
  if (auto problem = indexProblem(indices))
    return Error{*problem};
  switch (family) {
  case OpFamily::Gather:
    return gathered(query.operands[0], indices, query.attributes.integer(AttrKey::Axis));
  case OpFamily::Scatter:
    return inferScatter(query);
  case OpFamily::Pick:
    return inferPick(query.operands[0], indices);
  default:
    return inferOneHot(indices, query.given[0]);
  }
}

} // namespace apr
