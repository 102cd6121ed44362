// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/ops/families.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr {

std::optional<std::string> axesProblem(const std::vector<int64_t> &axes, size_t rank) {
  for (size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] < 0 || axes[i] >= static_cast<int64_t>(rank))
      return fmt::format("axis {} is outside a tensor of rank {}", axes[i], rank);
    if (i > 0 && axes[i] <= axes[i - 1])
      return std::string("axes must be ascending and different");
  }
  return std::nullopt;
}

namespace {

/// cumsum and argsort: the operand's shape.
InferredTypes inferAlongAxis(const TypeQuery &query) {
  const Type &operand = query.operands[0];
  int64_t axis = query.attributes.integer(AttrKey::Axis);
  if (axis < 0 || axis >= static_cast<int64_t>(operand.rank()))
    return Error{fmt::format("axis {} is outside {}", axis, str(operand))};
  if (!isFloat(operand.dtype) && !isInteger(operand.dtype))
    return Error{fmt::format("operand is {}, expected a float or integer dtype", str(operand))};
  if (query.kind == OpKind::CumSum)
    return std::vector<Type>{operand};
  int64_t descending = query.attributes.integerOr0(AttrKey::Descending);
  if (descending != 0 && descending != 1)
    return Error{fmt::format("descending is {}, expected 0 or 1", descending)};
  return std::vector<Type>{{DType::I32, operand.shape}};
}

/// The extrema of bools are `any` and `all`.
bool canReduce(OpKind kind, DType dtype) {
  if (dtype == DType::Bool)
    return kind == OpKind::ReduceMax || kind == OpKind::ReduceMin;
  return isFloat(dtype) || isInteger(dtype);
}

} // namespace

InferredTypes inferReduce(const TypeQuery &query) {
  const Type &operand = query.operands[0];
  OpFamily family = opInfo(query.kind).family;
  if (family == OpFamily::Cumulative || family == OpFamily::Sort)
    return inferAlongAxis(query);
  const std::vector<int64_t> &axes = query.attributes.integers(AttrKey::Axes);
  if (auto problem = axesProblem(axes, operand.rank()))
    return Error{*problem};
  if (!canReduce(query.kind, operand.dtype))
    return Error{fmt::format("operand is {}, expected a float or integer dtype", str(operand))};
  Type result{family == OpFamily::ArgReduce ? DType::I32 : operand.dtype, {}};
  for (size_t i = 0; i < operand.rank(); ++i)
    if (!std::binary_search(axes.begin(), axes.end(), static_cast<int64_t>(i)))
      result.shape.push_back(operand.shape[i]);
  return std::vector<Type>{result};
}

InferredTypes inferContract(const TypeQuery &query) {
  const Type &a = query.operands[0], &b = query.operands[1];
  if (a.dtype != b.dtype || !(isFloat(a.dtype) || isInteger(a.dtype)))
    return Error{
        fmt::format("operands {} and {} must have one float or integer dtype", str(a), str(b))};
  if (a.rank() < 2 || a.rank() != b.rank())
    return Error{fmt::format("operands {} and {} must be matrices with equally many batch dims",
                             str(a), str(b))};
  size_t batch = a.rank() - 2;
  if (!std::equal(a.shape.begin(), a.shape.begin() + static_cast<ptrdiff_t>(batch),
                  b.shape.begin()))
    return Error{fmt::format("batch dims of {} and {} differ", str(a), str(b))};
  size_t ta = query.attributes.integerOr0(AttrKey::TransposeA) != 0 ? 1 : 0;
  size_t tb = query.attributes.integerOr0(AttrKey::TransposeB) != 0 ? 1 : 0;
  const Dim &m = a.shape[batch + ta], &ka = a.shape[batch + 1 - ta];
  const Dim &kb = b.shape[batch + tb], &n = b.shape[batch + 1 - tb];
  if (!(ka == kb))
    return Error{fmt::format("contracted dims differ: {} of {} and {} of {}", ka.str(), str(a),
                             kb.str(), str(b))};
  Type result{a.dtype, Shape(a.shape.begin(), a.shape.begin() + static_cast<ptrdiff_t>(batch))};
  result.shape.push_back(m);
  result.shape.push_back(n);
  return std::vector<Type>{result};
}

} // namespace apr
