// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/regions.h"

#include "ir/rewrite.h"
#include "ir/scan.h"

#include <algorithm>

namespace apr::frontend {

namespace {

Function functionLike(const FunctionContext &outer) {
  Function function;
  function.name = outer.function.name;
  function.kind = outer.function.kind;
  function.trainBlock = outer.function.trainBlock;
  function.location = outer.function.location;
  function.shards = outer.function.shards;
  return function;
}

/// What the results need, found backwards.
std::vector<bool> findNeeded(const Graph &graph, const std::vector<ValueId> &results) {
  std::vector<bool> isNeeded(graph.values().size(), false);
  for (ValueId result : results)
    isNeeded[result] = true;
  for (size_t i = graph.ops().size(); i-- > 0;) {
    const Op &op = graph.ops()[i];
    if (std::any_of(op.results.begin(), op.results.end(), [&](ValueId v) { return isNeeded[v]; }))
      for (ValueId operand : op.operands)
        isNeeded[operand] = true;
  }
  return isNeeded;
}

} // namespace

Region::Region(FunctionContext &outer, std::optional<Dim> length)
    : FunctionContext(outer.purpose, functionLike(outer), outer.tables()), outer_(outer),
      length_(std::move(length)) {}

size_t Region::depthOf(FunctionContext &context) {
  Region *region = context.asRegion();
  return region ? 1 + depthOf(region->outer_) : 0;
}

ValueId Region::addArgument(const Type &type, std::string name, Location location) {
  function.arguments.push_back({ArgumentRole::Exec, name, {}});
  own_.push_back(graph().addArgument(type, std::move(name), location));
  return own_.back();
}

ValueId Region::addBinding(ValueId value, Type type, std::vector<Binding> &bindings) {
  const apr::Value &outside = outer_.graph().value(value);
  // Inputs of the function are told from other arguments by their role; no region has any.
  function.arguments.push_back({ArgumentRole::Exec, outside.name, {}});
  bindings.push_back({value, graph().addArgument(std::move(type), outside.name, outside.location)});
  return bindings.back().argument;
}

ValueId Region::addInput(ValueId stack) {
  return addBinding(stack, sliceType(outer_.graph().type(stack)), inputs_);
}

ValueId Region::capture(ValueId value) {
  auto [known, isNew] = known_.try_emplace(value, kNoValue);
  if (!isNew)
    return known->second;
  const Op *definition = outer_.graph().definition(value);
  // One number is better known inside than handed in.
  bool isNumber = definition && definition->kind == OpKind::Constant &&
                  definition->attributes.literal().count() == 1;
  known->second =
      isNumber ? builder.constant(outer_.graph().type(value), definition->attributes.literal())
               : addBinding(value, outer_.graph().type(value), captured_);
  return known->second;
}

std::optional<ValueId> Region::import(const FunctionContext &from, ValueId value) {
  if (&from == this)
    return value;
  auto outside = &from == &outer_ ? std::optional(value) : outer_.import(from, value);
  return outside ? std::optional(capture(*outside)) : std::nullopt;
}

void Region::addCheck(DimCheck::Kind kind, Dim value, std::string message, Location location) {
  outer_.addCheck(kind, std::move(value), std::move(message), location);
}

void Region::addDim(std::string_view name) { outer_.addDim(name); }

Region::Finished Region::complete(const std::vector<ValueId> &results) {
  const Graph &source = graph();
  std::vector<bool> isNeeded = findNeeded(source, results);
  auto target = std::make_shared<Graph>();
  GraphRewriter rewriter(source, *target);
  auto declare = [&](ValueId argument) {
    const apr::Value &value = source.value(argument);
    rewriter.map(argument, target->addArgument(value.type, value.name, value.location));
  };
  Finished finished;
  for (ValueId argument : own_)
    declare(argument);
  auto bind = [&](const std::vector<Binding> &bindings, std::vector<ValueId> &outside) {
    for (const Binding &binding : bindings) {
      if (!isNeeded[binding.argument])
        continue;
      declare(binding.argument);
      outside.push_back(binding.outer);
    }
  };
  bind(inputs_, finished.inputs);
  bind(captured_, finished.captured);
  for (const Op &op : source.ops())
    if (std::any_of(op.results.begin(), op.results.end(), [&](ValueId v) { return isNeeded[v]; }))
      rewriter.copy(op);
  for (ValueId result : results)
    target->results.push_back(rewriter(result));
  finished.graph = std::move(target);
  return finished;
}

} // namespace apr::frontend
