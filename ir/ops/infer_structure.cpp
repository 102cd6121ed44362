// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/ops/families.h"
#include "ir/scan.h"

#include <fmt/format.h>

namespace apr {

namespace {

InferredTypes inferGradient(const TypeQuery &query) {
  if (query.operands.empty() || !isFloat(query.operands[0].dtype) ||
      !query.operands[0].shape.empty())
    return Error{"the first operand of gradient must be a float scalar"};
  for (const Type &by : query.operands.subspan(1))
    if (!isFloat(by.dtype))
      return Error{fmt::format("there is no gradient by {}: expected f32 or f64", str(by))};
  return std::vector<Type>(query.operands.begin() + 1, query.operands.end());
}

/// Scatters and the ops along lines fill memory in an order of their own, so that such a kernel has
/// one, and yields nothing else.
std::optional<std::string> loopProblem(const Graph &region) {
  for (const Op &op : region.ops()) {
    const OpFamily family = opInfo(op.kind).family;
    if (family != OpFamily::Scatter && family != OpFamily::Cumulative && family != OpFamily::Sort)
      continue;
    if (region.results != std::vector<ValueId>{op.result()})
      return fmt::format("a kernel with '{}' yields its result and nothing else",
                         opInfo(op.kind).mnemonic);
  }
  return std::nullopt;
}

InferredTypes inferKernel(const TypeQuery &query) {
  if (!query.region)
    return Error{"a kernel needs a region"};
  const Graph &region = *query.region;
  if (region.arguments().size() != query.operands.size())
    return Error{fmt::format("the kernel has {} operands, its region {} arguments",
                             query.operands.size(), region.arguments().size())};
  for (size_t i = 0; i < query.operands.size(); ++i)
    if (!(region.type(region.arguments()[i]) == query.operands[i]))
      return Error{fmt::format("operand {} is {}, the region's argument {}", i,
                               str(query.operands[i]), str(region.type(region.arguments()[i])))};
  for (const Op &op : region.ops())
    if (op.region || op.kind == OpKind::Gradient)
      return Error{
          fmt::format("a kernel is one loop, which cannot hold '{}'", opInfo(op.kind).mnemonic)};
  if (auto problem = loopProblem(region))
    return Error{*problem};
  std::vector<Type> types;
  for (ValueId result : region.results)
    types.push_back(region.type(result));
  return types;
}

/// What a scan's attributes and region must be before its operands can be looked at.
std::optional<std::string> scanProblem(const TypeQuery &query) {
  const int64_t carries = query.attributes.integer(AttrKey::Carries);
  const int64_t inputs = query.attributes.integer(AttrKey::Inputs);
  const auto &length = query.attributes.dims(AttrKey::Length);
  const int64_t backwards = query.attributes.integerOr0(AttrKey::Backwards);
  const auto operands = static_cast<int64_t>(query.operands.size());
  if (carries < 0 || inputs < 0 || carries > operands || inputs > operands - carries)
    return fmt::format("{} carries and {} inputs do not fit {} operands", carries, inputs,
                       operands);
  if (length.size() != 1)
    return fmt::format("length has {} entries, expected one", length.size());
  if (auto steps = length[0].asConstant(); steps && *steps < 0)
    return fmt::format("length is {}, expected 0 or more", *steps);
  if (backwards != 0 && backwards != 1)
    return fmt::format("backwards is {}, expected 0 or 1", backwards);
  if (!query.region)
    return "a scan needs a region";
  if (query.region->arguments().size() != query.operands.size())
    return fmt::format("the scan has {} operands, its region {} arguments", operands,
                       query.region->arguments().size());
  const auto results = static_cast<int64_t>(query.region->results.size());
  if (results < carries || results == 0)
    return fmt::format("the region yields {} values, expected {} carries and outputs, at least one "
                       "value",
                       results, carries);
  return std::nullopt;
}

/// The type that the region's argument for an operand must have; an error where the operand cannot
/// be one.
Result<Type> scanArgumentType(const TypeQuery &query, size_t operand) {
  const Type &type = query.operands[operand];
  const auto carries = size_t(query.attributes.integer(AttrKey::Carries));
  const auto inputs = size_t(query.attributes.integer(AttrKey::Inputs));
  if (operand < carries || operand >= carries + inputs)
    return type;
  const Dim &length = query.attributes.dims(AttrKey::Length)[0];
  if (type.rank() == 0 || type.shape[0] != length)
    return Error{fmt::format("operand {} is {}, expected an input with the first axis {}", operand,
                             str(type), length.str())};
  return sliceType(type);
}

InferredTypes inferScan(const TypeQuery &query) {
  if (auto problem = scanProblem(query))
    return Error{*problem};
  const Graph &region = *query.region;
  for (size_t i = 0; i < query.operands.size(); ++i) {
    const Type &argument = region.type(region.arguments()[i]);
    auto expected = scanArgumentType(query, i);
    if (!expected)
      return Error{expected.error()};
    if (!(argument == *expected))
      return Error{fmt::format("operand {} is {}, so the region's argument is {}, expected {}", i,
                               str(query.operands[i]), str(argument), str(*expected))};
  }
  const auto carries = size_t(query.attributes.integer(AttrKey::Carries));
  std::vector<Type> types;
  for (size_t i = 0; i < region.results.size(); ++i) {
    const Type &yielded = region.type(region.results[i]);
    if (i < carries && !(yielded == query.operands[i]))
      return Error{fmt::format("carry {} is {}, but the region yields {}", i,
                               str(query.operands[i]), str(yielded))};
    types.push_back(i < carries ? yielded
                                : stackedType(query.attributes.dims(AttrKey::Length)[0], yielded));
  }
  return types;
}

} // namespace

InferredTypes inferStructure(const TypeQuery &query) {
  switch (opInfo(query.kind).family) {
  case OpFamily::Gradient:
    return inferGradient(query);
  case OpFamily::Scan:
    return inferScan(query);
  default:
    return inferKernel(query);
  }
}

} // namespace apr
