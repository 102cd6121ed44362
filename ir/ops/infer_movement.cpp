// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/ops/families.h"

#include <fmt/format.h>

namespace apr {

namespace {

InferredTypes inferReshape(const Type &from, const Type &to) {
  if (from.dtype != to.dtype)
    return Error{
        fmt::format("result {} has another dtype than the operand {}", str(to), str(from))};
  if (!(elementCount(from.shape) == elementCount(to.shape)))
    return Error{fmt::format("{} has {} elements, {} has {}", str(from),
                             elementCount(from.shape).str(), str(to),
                             elementCount(to.shape).str())};
  return std::vector<Type>{to};
}

InferredTypes inferTranspose(const Type &from, const std::vector<int64_t> &perm) {
  std::vector<bool> seen(from.rank());
  Type result{from.dtype, {}};
  for (int64_t axis : perm) {
    if (axis < 0 || axis >= static_cast<int64_t>(from.rank()) || seen[static_cast<size_t>(axis)])
      return Error{
          fmt::format("perm is not a permutation of the {} axes of {}", from.rank(), str(from))};
    seen[static_cast<size_t>(axis)] = true;
    result.shape.push_back(from.shape[static_cast<size_t>(axis)]);
  }
  if (perm.size() != from.rank())
    return Error{fmt::format("perm names {} axes, {} has {}", perm.size(), str(from), from.rank())};
  return std::vector<Type>{result};
}

InferredTypes inferBroadcast(const Type &from, const Type &to, const std::vector<int64_t> &axes) {
  if (from.dtype != to.dtype)
    return Error{
        fmt::format("result {} has another dtype than the operand {}", str(to), str(from))};
  if (auto problem = axesProblem(axes, to.rank()))
    return Error{*problem};
  if (axes.size() != from.rank())
    return Error{fmt::format("axes names {} axes, the operand {} has {}", axes.size(), str(from),
                             from.rank())};
  for (size_t i = 0; i < axes.size(); ++i)
    if (!(from.shape[i] == to.shape[static_cast<size_t>(axes[i])]))
      return Error{
          fmt::format("axis {} of {} does not fit axis {} of {}", i, str(from), axes[i], str(to))};
  return std::vector<Type>{to};
}

/// Why the constant part of a slice along one axis is out of bounds.
std::optional<std::string> sliceProblem(const Dim &start, const Dim &limit, int64_t stride,
                                        const Dim &size) {
  auto s = start.asConstant(), l = limit.asConstant(), n = size.asConstant();
  auto length = (limit - start).asConstant();
  auto rest = (size - limit).asConstant();
  bool inBounds = stride >= 1 && (!s || *s >= 0) && (!length || *length >= 0) &&
                  (!rest || *rest >= 0) && (!l || !n || *l <= *n);
  if (inBounds)
    return std::nullopt;
  return fmt::format("slice [{}, {}) with stride {} does not fit an axis of {}", start.str(),
                     limit.str(), stride, size.str());
}

InferredTypes inferSlice(const Type &from, const Attributes &attributes) {
  const auto &start = attributes.dims(AttrKey::Start), &limit = attributes.dims(AttrKey::Limit);
  const auto &stride = attributes.integers(AttrKey::Stride);
  if (start.size() != from.rank() || limit.size() != from.rank() || stride.size() != from.rank())
    return Error{
        fmt::format("start, limit and stride need one entry for each axis of {}", str(from))};
  Type result{from.dtype, {}};
  for (size_t i = 0; i < from.rank(); ++i) {
    if (auto problem = sliceProblem(start[i], limit[i], stride[i], from.shape[i]))
      return Error{*problem};
    result.shape.push_back(
        Dim::floorDivide(limit[i] - start[i] + Dim(stride[i] - 1), Dim(stride[i])));
  }
  return std::vector<Type>{result};
}

InferredTypes inferPad(const Type &from, const Type &fill, const Attributes &attributes) {
  const auto &low = attributes.dims(AttrKey::Low), &high = attributes.dims(AttrKey::High);
  const auto &stride = attributes.integers(AttrKey::Stride);
  if (!fill.shape.empty() || fill.dtype != from.dtype)
    return Error{fmt::format("the fill is {}, expected a scalar {}", str(fill), name(from.dtype))};
  if (low.size() != from.rank() || high.size() != from.rank() || stride.size() != from.rank())
    return Error{fmt::format("low, high and stride need one entry for each axis of {}", str(from))};
  Type result{from.dtype, {}};
  for (size_t i = 0; i < from.rank(); ++i) {
    auto l = low[i].asConstant(), h = high[i].asConstant();
    Dim size = low[i] + from.shape[i] * Dim(stride[i]) + high[i];
    auto total = size.asConstant();
    if (stride[i] < 1 || (l && *l < 0) || (h && *h < 1 - stride[i]) || (total && *total < 0))
      return Error{fmt::format("padding by {} and {} with stride {} does not fit an axis of {}",
                               low[i].str(), high[i].str(), stride[i], from.shape[i].str())};
    result.shape.push_back(size);
  }
  return std::vector<Type>{result};
}

InferredTypes inferConcat(std::span<const Type> parts, int64_t axis) {
  const Type &first = parts[0];
  if (axis < 0 || axis >= static_cast<int64_t>(first.rank()))
    return Error{fmt::format("axis {} is outside {}", axis, str(first))};
  size_t along = static_cast<size_t>(axis);
  Type result = first;
  result.shape[along] = Dim(0);
  for (const Type &part : parts) {
    Type rest = part;
    if (part.rank() == first.rank())
      rest.shape[along] = first.shape[along];
    if (!(rest == first))
      return Error{
          fmt::format("{} and {} differ in more than axis {}", str(first), str(part), axis)};
    result.shape[along] += part.shape[along];
  }
  return std::vector<Type>{result};
}

} // namespace

InferredTypes inferMovement(const TypeQuery &query) {
  const Type &operand = query.operands[0];
  switch (opInfo(query.kind).family) {
  case OpFamily::Reshape:
    return inferReshape(operand, query.given[0]);
  case OpFamily::Transpose:
    return inferTranspose(operand, query.attributes.integers(AttrKey::Perm));
  case OpFamily::Broadcast:
    return inferBroadcast(operand, query.given[0], query.attributes.integers(AttrKey::Axes));
  case OpFamily::Slice:
    return inferSlice(operand, query.attributes);
  case OpFamily::Reverse:
    if (auto problem = axesProblem(query.attributes.integers(AttrKey::Axes), operand.rank()))
      return Error{*problem};
    return std::vector<Type>{operand};
  case OpFamily::Pad:
    return inferPad(operand, query.operands[1], query.attributes);
  default:
    return inferConcat(query.operands, query.attributes.integer(AttrKey::Axis));
  }
}

} // namespace apr
