// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/infer.h"
#include "ir/ops/families.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr {

namespace {

bool needsGivenType(OpFamily family) {
  switch (family) {
  case OpFamily::Convert:
  case OpFamily::Bitcast:
  case OpFamily::Reshape:
  case OpFamily::Broadcast:
  case OpFamily::OneHot:
  case OpFamily::Constant:
  case OpFamily::Iota:
  case OpFamily::Random:
    return true;
  default:
    return false;
  }
}

bool takesRegion(OpFamily family) {
  return family == OpFamily::Scan || family == OpFamily::WithGradient || family == OpFamily::Kernel;
}

std::optional<std::string> attributeProblem(const OpInfo &info, const Attributes &attributes) {
  for (const AttributeUse &use : info.attributes)
    if (use.required && !attributes.has(use.key))
      return fmt::format("attribute '{}' is missing", attributeName(use.key));
  for (const auto &[key, value] : attributes.entries()) {
    bool known = std::any_of(info.attributes.begin(), info.attributes.end(),
                             [k = key](const AttributeUse &use) { return use.key == k; });
    if (!known)
      return fmt::format("attribute '{}' is not one of this op", attributeName(key));
    if (value.index() != attributeType(key))
      return fmt::format("attribute '{}' has a value of the wrong kind", attributeName(key));
    if (const auto *order = std::get_if<Order>(&value))
      if (auto problem = order->problem())
        return problem;
    if (const auto *dims = std::get_if<std::vector<Dim>>(&value))
      for (const Dim &dim : *dims)
        if (!dim.isValid())
          return fmt::format("attribute '{}' holds a dim that does not fit 64 bits",
                             attributeName(key));
  }
  return std::nullopt;
}

InferredTypes inferFamily(const TypeQuery &query) {
  switch (opInfo(query.kind).family) {
  case OpFamily::Unary:
  case OpFamily::UnaryLogic:
  case OpFamily::Identity:
  case OpFamily::Binary:
  case OpFamily::BinaryFloat:
  case OpFamily::BinaryInteger:
  case OpFamily::BinaryLogic:
  case OpFamily::Compare:
  case OpFamily::Ternary:
  case OpFamily::Select:
    return inferElementwise(query);
  case OpFamily::Convert:
  case OpFamily::Bitcast:
    return inferConversion(query);
  case OpFamily::Reduce:
  case OpFamily::ArgReduce:
  case OpFamily::Cumulative:
  case OpFamily::Sort:
    return inferReduce(query);
  case OpFamily::Conv:
  case OpFamily::Window:
    return inferWindow(query);
  case OpFamily::Contract:
    return inferContract(query);
  case OpFamily::Reshape:
  case OpFamily::Transpose:
  case OpFamily::Broadcast:
  case OpFamily::Slice:
  case OpFamily::Pad:
  case OpFamily::Concat:
  case OpFamily::Reverse:
    return inferMovement(query);
  case OpFamily::Gather:
  case OpFamily::Scatter:
  case OpFamily::Pick:
  case OpFamily::OneHot:
    return inferIndexing(query);
  case OpFamily::Constant:
  case OpFamily::Iota:
  case OpFamily::Random:
    return inferSource(query);
  case OpFamily::WithGradient:
    return inferWithGradient(query);
  case OpFamily::Gradient:
  case OpFamily::Scan:
  case OpFamily::Kernel:
    return inferStructure(query);
  }
  return Error{"unknown family"};
}

} // namespace

Result<std::vector<Type>> inferTypes(OpKind kind, std::span<const Type> operands,
                                     const Attributes &attributes, std::span<const Type> given,
                                     const Graph *region) {
  const OpInfo &info = opInfo(kind);
  if (auto arity = fixedArity(info.family); arity && operands.size() != *arity)
    return Error{fmt::format("found {} operands, expected {}", operands.size(), *arity)};
  if (info.family == OpFamily::Concat && operands.empty())
    return Error{"found no operands, expected at least one"};
  if (auto problem = attributeProblem(info, attributes))
    return Error{*problem};
  if (region && !takesRegion(info.family))
    return Error{"takes no region"};
  if (needsGivenType(info.family) && given.size() != 1)
    return Error{"the result type must be given"};
  auto types = inferFamily({kind, operands, attributes, given, region});
  if (types)
    for (const Type &type : *types)
      for (const Dim &dim : type.shape)
        if (!dim.isValid())
          return Error{"a dim of the result does not fit 64 bits"};
  return types;
}

} // namespace apr
