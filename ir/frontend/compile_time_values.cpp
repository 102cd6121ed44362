// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values that must be known to the compiler: numbers, dims, axes, shapes.
#include "ir/frontend/elaborator.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::frontend {

bool Elaborator::requireBool(const Value &value, Location location, std::string_view what) {
  if (auto *known = value.as<BoolValue>())
    return known->value;
  fail(DiagnosticKind::KindMismatch, location,
       fmt::format("{} must be known at compile time, found {}", what, describe(value)),
       value.is<TensorValue>() ? "choose between tensors with 'where(condition, a, b)'" : "");
}

std::optional<int64_t> Elaborator::asInt(const Value &value) {
  if (auto *number = value.as<NumberValue>())
    return number->kind == NumberValue::Kind::Finite ? number->value.asInt64() : std::nullopt;
  if (auto *dim = value.as<DimValue>())
    return dim->dim.asConstant();
  return std::nullopt;
}

std::optional<Dim> Elaborator::asDim(const Value &value) {
  if (auto *dim = value.as<DimValue>())
    return dim->dim;
  if (auto known = asInt(value))
    return Dim(*known);
  return std::nullopt;
}

int64_t Elaborator::requireInt(const Value &value, Location location, std::string_view what) {
  if (auto known = asInt(value))
    return *known;
  if (auto *dim = value.as<DimValue>())
    fail(DiagnosticKind::OpenDim, location,
         fmt::format("{} must be known at compile time, but {} is open", what, dim->dim.str()));
  fail(DiagnosticKind::KindMismatch, location,
       fmt::format("{} must be a whole number known at compile time, found {}", what,
                   describe(value)));
}

Dim Elaborator::requireDim(const Value &value, Location location, std::string_view what) {
  if (auto dim = asDim(value)) {
    if (!dim->isValid())
      fail(DiagnosticKind::TooLarge, location, fmt::format("{} does not fit 64 bits", what));
    return *dim;
  }
  auto *large = value.as<NumberValue>();
  if (large && large->kind == NumberValue::Kind::Finite && large->value.isInteger())
    fail(DiagnosticKind::TooLarge, location,
         fmt::format("{} fits in 64 bits, found {}", what, large->value.str()));
  if (auto *number = value.as<NumberValue>(); number && number->kind == NumberValue::Kind::Finite)
    fail(DiagnosticKind::BadConstant, location,
         fmt::format("{} must be a whole number, found {}", what, number->value.str()),
         "'/' is exact, '//' rounds down");
  fail(DiagnosticKind::KindMismatch, location,
       fmt::format("{} must be a whole number or a dim, found {}", what, describe(value)));
}

std::vector<int64_t> Elaborator::requireAxes(const Value &value, size_t rank, Location location) {
  std::vector<int64_t> axes;
  auto add = [&](const Value &element) {
    int64_t axis = requireInt(element, location, "an axis");
    auto signedRank = static_cast<int64_t>(rank);
    if (axis < -signedRank || axis >= signedRank)
      fail(DiagnosticKind::BadAxis, location,
           fmt::format("axis {} of a tensor of rank {}", axis, rank),
           rank == 0 ? "a scalar has no axes"
                     : fmt::format("axes lie between {} and {}", -signedRank, signedRank - 1));
    axes.push_back(axis < 0 ? axis + signedRank : axis);
  };
  if (auto *list = value.as<ListValue>())
    std::for_each(list->elements.begin(), list->elements.end(), add);
  else if (auto *tuple = value.as<TupleValue>())
    std::for_each(tuple->elements.begin(), tuple->elements.end(), add);
  else
    add(value);
  std::vector<int64_t> sorted = axes;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    fail(DiagnosticKind::BadAxis, location, "an axis is named twice");
  return axes;
}

size_t Elaborator::requireAxis(const Value &value, size_t rank, Location location) {
  std::vector<int64_t> axes = requireAxes(value, rank, location);
  if (axes.size() != 1)
    fail(DiagnosticKind::BadAxis, location, "one axis is needed here");
  return static_cast<size_t>(axes[0]);
}

Shape Elaborator::requireShape(const Value &value, Location location) {
  Shape shape;
  auto add = [&](const Value &element) {
    shape.push_back(requireDim(element, location, "a dim"));
    if (auto known = shape.back().asConstant(); known && *known < 0)
      fail(DiagnosticKind::BadConstant, location, fmt::format("a dim of {}", *known));
  };
  if (auto *list = value.as<ListValue>())
    std::for_each(list->elements.begin(), list->elements.end(), add);
  else if (auto *tuple = value.as<TupleValue>())
    std::for_each(tuple->elements.begin(), tuple->elements.end(), add);
  else
    add(value);
  return shape;
}

} // namespace apr::frontend
