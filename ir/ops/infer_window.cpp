// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/convolution.h"
#include "ir/ops/families.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr {
namespace {

std::optional<std::string> positiveProblem(std::string_view name,
                                           const std::vector<int64_t> &values, size_t count) {
  if (values.size() != count)
    return fmt::format("{} has {} entries, expected one for each of {} axes", name, values.size(),
                       count);
  for (int64_t value : values)
    if (value < 1)
      return fmt::format("{} {} is not positive", name, value);
  return std::nullopt;
}

/// Why windows of an extent do not fit an axis, as far as that is known.
std::optional<std::string> fitProblem(const Dim &size, const Dim &extent) {
  if (!extent.isValid())
    return "the size of a window does not fit 64 bits";
  if (auto rest = (size - extent).asConstant(); rest && *rest < 0)
    return fmt::format("a window over {} elements does not fit an axis of {}", extent.str(),
                       size.str());
  return std::nullopt;
}

InferredTypes inferWindowOp(const Type &from, const Attributes &attributes) {
  const auto &axes = attributes.integers(AttrKey::Axes);
  const auto &size = attributes.integers(AttrKey::Size);
  const auto &stride = attributes.integers(AttrKey::Stride);
  const auto &dilation = attributes.integers(AttrKey::Dilation);
  if (auto problem = axesProblem(axes, from.rank()))
    return Error{*problem};
  if (axes.empty())
    return Error{"windows need at least one axis"};
  for (auto [name, values] :
       {std::pair("size", &size), std::pair("stride", &stride), std::pair("dilation", &dilation)})
    if (auto problem = positiveProblem(name, *values, axes.size()))
      return Error{*problem};
  Type result = from;
  for (size_t i = 0; i < axes.size(); ++i) {
    Dim &axis = result.shape[static_cast<size_t>(axes[i])];
    if (auto problem = fitProblem(axis, windowExtent(size[i], dilation[i])))
      return Error{*problem};
    axis = windowCount(axis, size[i], stride[i], dilation[i]);
  }
  result.shape.insert(result.shape.begin() + axes.back() + 1, size.begin(), size.end());
  return std::vector<Type>{result};
}

/// What conv and conv_weight have in common.
std::optional<std::string> operandsProblem(const TypeQuery &query) {
  const Type &x = query.operands[0], &y = query.operands[1];
  if (x.dtype != y.dtype || !isFloat(x.dtype))
    return fmt::format("operands {} and {} must have one float dtype", str(x), str(y));
  if (x.rank() < 4 || x.rank() != y.rank())
    return fmt::format("operands {} and {} must have equal ranks of at least 4", str(x), str(y));
  const size_t spatial = x.rank() - 3;
  for (auto [name, key] :
       {std::pair("stride", AttrKey::Stride), std::pair("dilation", AttrKey::Dilation)})
    if (auto problem = positiveProblem(name, query.attributes.integers(key), spatial))
      return problem;
  return std::nullopt;
}

InferredTypes inferConv(const TypeQuery &query) {
  const Type &x = query.operands[0], &w = query.operands[1];
  const size_t n = x.rank() - 3;
  if (!(x.shape[n + 1] == w.shape[n]) || !(x.shape[n + 2] == w.shape[n + 1]))
    return Error{fmt::format("groups and input channels of {} and {} differ", str(x), str(w))};
  const auto &stride = query.attributes.integers(AttrKey::Stride);
  const auto &dilation = query.attributes.integers(AttrKey::Dilation);
  Type result = x;
  for (size_t i = 0; i < n; ++i) {
    const auto size = w.shape[i].asConstant();
    if (!size || *size < 1)
      return Error{fmt::format("the kernel {} has a size that is no positive number", str(w))};
    Dim &axis = result.shape[i + 1];
    if (auto problem = fitProblem(axis, windowExtent(*size, dilation[i])))
      return Error{*problem};
    axis = windowCount(axis, *size, stride[i], dilation[i]);
  }
  result.shape.back() = w.shape.back();
  return std::vector<Type>{result};
}

InferredTypes inferConvWeight(const TypeQuery &query) {
  const Type &x = query.operands[0], &y = query.operands[1];
  const size_t n = x.rank() - 3;
  const auto &size = query.attributes.integers(AttrKey::Size);
  const auto &stride = query.attributes.integers(AttrKey::Stride);
  const auto &dilation = query.attributes.integers(AttrKey::Dilation);
  if (auto problem = positiveProblem("size", size, n))
    return Error{*problem};
  if (!(x.shape[0] == y.shape[0]) || !(x.shape[n + 1] == y.shape[n + 1]))
    return Error{fmt::format("batch and groups of {} and {} differ", str(x), str(y))};
  Type result{x.dtype, {}};
  for (size_t i = 0; i < n; ++i) {
    if (auto windows = y.shape[i + 1].asConstant(); windows && *windows < 1)
      return Error{fmt::format("{} has no windows, expected at least one along each axis", str(y))};
    const Dim read =
        (y.shape[i + 1] - Dim(1)) * Dim(stride[i]) + windowExtent(size[i], dilation[i]);
    if (auto problem = fitProblem(x.shape[i + 1], read))
      return Error{*problem};
    result.shape.emplace_back(size[i]);
  }
  result.shape.insert(result.shape.end(), {x.shape[n + 1], x.shape[n + 2], y.shape[n + 2]});
  return std::vector<Type>{result};
}

} // namespace

InferredTypes inferWindow(const TypeQuery &query) {
  if (query.kind == OpKind::Window)
    return inferWindowOp(query.operands[0], query.attributes);
  if (auto problem = operandsProblem(query))
    return Error{*problem};
  return query.kind == OpKind::Conv ? inferConv(query) : inferConvWeight(query);
}

} // namespace apr
