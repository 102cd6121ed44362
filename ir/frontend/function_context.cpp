// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/function_context.h"

#include "ir/rewrite.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::frontend {

std::optional<uint32_t> ModelTables::findState(std::string_view name) const {
  for (uint32_t i = 0; i < states.size(); ++i)
    if (states[i].tensor.name == name)
      return i;
  return std::nullopt;
}

FunctionContext::FunctionContext(Purpose purpose, Function function, const ModelTables &tables)
    : purpose(purpose), function(std::move(function)), builder(this->function.graph),
      tables_(tables) {}

Dim FunctionContext::wholeSize(const Dim &dim) const {
  if (!function.shards)
    return dim;
  const std::string &rows = function.shards->rows;
  return dim.substitute(
      std::map<std::string, Dim, std::less<>>{{rows, Dim::variable(rows) * function.shards->count}});
}

ValueId FunctionContext::addInput(std::string name, Type type, Location location) {
  function.arguments.push_back({ArgumentRole::Input, name, {}});
  return graph().addArgument(std::move(type), std::move(name), location);
}

ValueId FunctionContext::addGradientArgument(std::string name, Type type, Location location) {
  function.arguments.push_back({ArgumentRole::Gradient, name, {}});
  return graph().addArgument(std::move(type), "grad." + name, location);
}

void FunctionContext::addResult(ValueId value, ResultRole role, std::string name, ResultKind kind) {
  graph().results.push_back(value);
  function.results.push_back({role, std::move(name), kind});
}

void FunctionContext::addCheck(DimCheck::Kind kind, Dim value, std::string message,
                               Location location) {
  for (const DimCheck &check : function.checks)
    if (check.kind == kind && check.value == value)
      return;
  function.checks.push_back({kind, std::move(value), std::move(message), location});
}

void FunctionContext::addDim(std::string_view name) {
  if (std::find(function.dims.begin(), function.dims.end(), name) == function.dims.end())
    function.dims.emplace_back(name);
}

ValueId FunctionContext::stateArgument(uint32_t index) {
  auto [entry, isNew] = stateArguments_.try_emplace(index, kNoValue);
  if (isNew) {
    const StateTensor &tensor = tables_.states[index].tensor;
    function.arguments.push_back({ArgumentRole::State, tensor.name, {}});
    entry->second = graph().addArgument(tensor.type, tensor.name, tensor.location);
  }
  return entry->second;
}

ValueId FunctionContext::stateValue(uint32_t index) {
  auto written = stateValues_.find(index);
  return written == stateValues_.end() ? stateArgument(index) : written->second;
}

ValueId FunctionContext::hyper(uint32_t index) {
  auto [entry, isNew] = hyperArguments_.try_emplace(index, kNoValue);
  if (!isNew)
    return entry->second;
  const Hyperparameter &hyper = tables_.hypers[index];
  Type type{hyper.dtype, {}};
  if (purpose == Purpose::Init || purpose == Purpose::Test) {
    builder.at(hyper.location).named(hyper.name);
    entry->second = isFloat(hyper.dtype)
                        ? builder.splat(type, hyper.defaultValue)
                        : builder.splatInteger(type, static_cast<int64_t>(hyper.defaultValue));
    return entry->second;
  }
  function.arguments.push_back({ArgumentRole::Hyper, hyper.name, {}});
  entry->second = graph().addArgument(std::move(type), hyper.name, hyper.location);
  return entry->second;
}

ValueId FunctionContext::rowOffset() {
  if (!rowOffset_) {
    function.arguments.push_back({ArgumentRole::Exec, "row_offset", {}});
    rowOffset_ = graph().addArgument({DType::I64, {}}, "row_offset", function.location);
  }
  return *rowOffset_;
}

std::string FunctionContext::uniqueStream(const std::string &name) {
  uint32_t count = ++streams_[name];
  return count == 1 ? name : fmt::format("{}#{}", name, count);
}

std::optional<ValueId> FunctionContext::import(const FunctionContext &from, ValueId value) {
  auto known = imported_.find({&from, value});
  if (known != imported_.end())
    return known->second;
  const Graph &source = from.function.graph;
  // The cone of the value, in the order of its ops; a weak scalar's cone is small.
  std::vector<ValueId> pending{value};
  std::vector<bool> isNeeded(source.values().size(), false);
  while (!pending.empty()) {
    ValueId id = pending.back();
    pending.pop_back();
    if (isNeeded[id])
      continue;
    isNeeded[id] = true;
    if (const Op *op = source.definition(id))
      pending.insert(pending.end(), op->operands.begin(), op->operands.end());
  }
  GraphRewriter rewriter(source, graph());
  for (size_t i = 0; i < source.arguments().size(); ++i) {
    ValueId argument = source.arguments()[i];
    if (!isNeeded[argument])
      continue;
    const Argument &description = from.function.arguments[i];
    if (description.role == ArgumentRole::Hyper) {
      for (uint32_t h = 0; h < tables_.hypers.size(); ++h)
        if (tables_.hypers[h].name == description.name)
          rewriter.map(argument, hyper(h));
      continue;
    }
    auto state = description.role == ArgumentRole::State ? tables_.findState(description.name)
                                                         : std::nullopt;
    if (!state || tables_.states[*state].tensor.role != StateRole::Counter ||
        purpose == Purpose::Init)
      return std::nullopt;
    rewriter.map(argument, stateValue(*state));
  }
  for (const Op &op : source.ops())
    if (std::any_of(op.results.begin(), op.results.end(),
                    [&](ValueId result) { return isNeeded[result]; }))
      rewriter.copy(op);
  imported_[{&from, value}] = rewriter(value);
  return rewriter(value);
}

namespace {

/// The place of an argument in the signature; state in declaration order.
std::pair<int, size_t> signaturePlace(const Argument &argument, size_t position,
                                      const ModelTables &tables) {
  switch (argument.role) {
  case ArgumentRole::Input:
    return {0, position};
  case ArgumentRole::Gradient:
    return {1, position};
  case ArgumentRole::State: {
    uint32_t index = *tables.findState(argument.name);
    // Parameters and buffers, then the optimizers' tensors, then counters, as in the module.
    size_t group = tables.states[index].tensor.role == StateRole::Counter     ? 2
                   : tables.states[index].tensor.role == StateRole::Optimizer ? 1
                                                                              : 0;
    return {2, group * tables.states.size() + index};
  }
  case ArgumentRole::Hyper:
    return {3, position};
  case ArgumentRole::Exec:
    return {4, position};
  }
  return {5, position};
}

/// Inputs that are used as indices without arithmetic in between must lie in the indexed axis.
void limitIndexInputs(Function &function) {
  Graph &graph = function.graph;
  for (const Op &op : graph.ops()) {
    if (op.kind != OpKind::Gather && op.kind != OpKind::Pick && op.kind != OpKind::ScatterAdd)
      continue;
    const Shape &shape = graph.type(op.operands[0]).shape;
    Dim limit = op.kind == OpKind::Pick
                    ? shape.back()
                    : shape[static_cast<size_t>(op.attributes.integer(AttrKey::Axis))];
    ValueId index = op.operands[1];
    while (const Op *definition = graph.definition(index)) {
      bool isMovement = definition->kind == OpKind::Reshape ||
                        definition->kind == OpKind::Transpose ||
                        definition->kind == OpKind::Broadcast || definition->kind == OpKind::Slice;
      if (!isMovement)
        break;
      index = definition->operands[0];
    }
    for (size_t i = 0; i < graph.arguments().size(); ++i) {
      Argument &argument = function.arguments[i];
      if (graph.arguments()[i] != index || argument.role != ArgumentRole::Input)
        continue;
      bool isTighter =
          !argument.indexLimit || (limit.isConstant() && argument.indexLimit->isConstant() &&
                                   *limit.asConstant() < *argument.indexLimit->asConstant());
      if (isTighter)
        argument.indexLimit = limit;
    }
  }
}

} // namespace

Function FunctionContext::finish() {
  const Graph &source = graph();
  std::vector<bool> isNeeded(source.values().size(), false);
  for (ValueId result : source.results)
    isNeeded[result] = true;
  for (size_t i = source.ops().size(); i-- > 0;) {
    const Op &op = source.ops()[i];
    bool isUsed = std::any_of(op.results.begin(), op.results.end(),
                              [&](ValueId result) { return isNeeded[result]; });
    if (isUsed)
      for (ValueId operand : op.operands)
        isNeeded[operand] = true;
  }

  std::vector<size_t> order;
  for (size_t i = 0; i < function.arguments.size(); ++i) {
    // Inputs and gradients are part of the signature, used or not.
    ArgumentRole role = function.arguments[i].role;
    bool isFixed = role == ArgumentRole::Input || role == ArgumentRole::Gradient;
    if (isFixed || isNeeded[source.arguments()[i]])
      order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return signaturePlace(function.arguments[a], a, tables_) <
           signaturePlace(function.arguments[b], b, tables_);
  });

  Function result = function;
  result.graph = Graph();
  result.arguments.clear();
  GraphRewriter rewriter(source, result.graph);
  for (size_t i : order) {
    const apr::Value &argument = source.value(source.arguments()[i]);
    result.arguments.push_back(function.arguments[i]);
    rewriter.map(source.arguments()[i],
                 result.graph.addArgument(argument.type, argument.name, argument.location));
  }
  for (const Op &op : source.ops())
    if (std::any_of(op.results.begin(), op.results.end(),
                    [&](ValueId value) { return isNeeded[value]; }))
      rewriter.copy(op);
  for (ValueId value : source.results)
    result.graph.results.push_back(rewriter(value));
  limitIndexInputs(result);
  return result;
}

} // namespace apr::frontend
