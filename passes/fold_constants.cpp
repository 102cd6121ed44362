// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/fold_constants.h"

#include "ir/interp/interpreter.h"
#include "ir/rewrite.h"
#include "ir/scan.h"

#include <algorithm>

namespace apr {
namespace {

const Literal *literalOf(const Graph &graph, ValueId v) {
  const Op *op = graph.definition(v);
  return op && op->kind == OpKind::Constant ? &op->attributes.literal() : nullptr;
}

bool isSmall(const Type &type) {
  auto count = elementCount(type.shape).asConstant();
  return count && *count <= kMaximumFoldedElements;
}

/// How an op can be computed at compile time.
enum class Folding : uint8_t { None, OneElement, AllElements };

Folding chooseFolding(const Op &op, const Graph &target, const std::vector<ValueId> &operands,
                      const Type &type) {
  if (op.kind == OpKind::Constant || op.kind == OpKind::Iota || op.region || op.results.size() != 1)
    return Folding::None;
  bool areSplats = true, areSmall = isSmall(type);
  for (ValueId operand : operands) {
    const Literal *literal = literalOf(target, operand);
    if (!literal)
      return Folding::None;
    areSplats = areSplats && literal->count() == 1;
    areSmall = areSmall && isSmall(target.type(operand));
  }
  if (areSplats && isElementwise(op.kind))
    return Folding::OneElement;
  return areSmall ? Folding::AllElements : Folding::None;
}

/// Runs the op alone, on constants of the same types or of scalars.
std::optional<Literal> evaluate(const Op &op, const Graph &target,
                                const std::vector<ValueId> &operands, const Type &type,
                                Folding folding) {
  auto narrow = [&](Type t) {
    return folding == Folding::OneElement ? Type{t.dtype, {}} : std::move(t);
  };
  Graph graph;
  Builder builder(graph);
  std::vector<ValueId> constants;
  for (ValueId operand : operands)
    constants.push_back(
        builder.constant(narrow(target.type(operand)), Literal(*literalOf(target, operand))));
  graph.results = {builder.create(op.kind, constants, op.attributes, narrow(type))};
  auto results = interpret(graph, {}, {});
  if (!results)
    return std::nullopt;
  return Literal{type.dtype, std::move((*results)[0].data)};
}

/// One element stands for all where all are the same bits.
Literal compact(Literal literal) {
  size_t size = byteSize(literal.dtype);
  for (size_t i = size; i < literal.bytes.size(); ++i)
    if (literal.bytes[i] != literal.bytes[i - size])
      return literal;
  if (literal.bytes.size() > size)
    literal.bytes.resize(size);
  return literal;
}

bool foldOp(const Op &op, GraphRewriter &rewriter) {
  Graph &target = rewriter.builder().graph();
  std::vector<ValueId> operands;
  for (ValueId operand : op.operands)
    operands.push_back(rewriter(operand));
  const Type &type = rewriter.source().type(op.result());
  Folding folding = chooseFolding(op, target, operands, type);
  if (folding == Folding::None)
    return false;
  auto value = evaluate(op, target, operands, type, folding);
  if (!value || value->bytes.empty())
    return false;
  rewriter.builder().named(rewriter.source().value(op.result()).name);
  rewriter.map(op.result(), rewriter.builder().constant(type, compact(std::move(*value))));
  return true;
}

Graph foldGraph(const Graph &graph);

/// One element everywhere, which costs nothing to write down again.
const Literal *splatOf(const Graph &graph, ValueId v) {
  const Literal *literal = literalOf(graph, v);
  return literal && literal->count() == 1 ? literal : nullptr;
}

/// The region with constants in place of the arguments that have one.
Graph writeConstants(const Graph &region, const std::vector<const Literal *> &constants) {
  Graph target;
  GraphRewriter rewriter(region, target);
  const auto &arguments = region.arguments();
  for (size_t i = 0; i < arguments.size(); ++i)
    if (const Value &value = region.value(arguments[i]); !constants[i])
      rewriter.map(arguments[i], target.addArgument(value.type, value.name, value.location));
  for (size_t i = 0; i < arguments.size(); ++i)
    if (const Value &value = region.value(arguments[i]); constants[i])
      rewriter.map(arguments[i], rewriter.builder()
                                     .at(value.location)
                                     .named(value.name)
                                     .constant(value.type, Literal(*constants[i])));
  for (const Op &op : region.ops())
    rewriter.copy(op);
  for (ValueId result : region.results)
    target.results.push_back(rewriter(result));
  return target;
}

/// From the outside in, so that a constant gets to the scans of a scan at once.
void foldScan(const Op &op, GraphRewriter &rewriter) {
  Graph &target = rewriter.builder().graph();
  const ScanParts parts(op);
  std::vector<const Literal *> constants(op.operands.size());
  for (size_t i = parts.firstCaptured(); i < op.operands.size(); ++i)
    constants[i] = splatOf(target, rewriter(op.operands[i]));
  auto region = std::make_shared<Graph>(foldGraph(writeConstants(*op.region, constants)));
  auto operand = [&](size_t i) -> std::optional<ValueId> {
    return constants[i] ? std::nullopt : std::optional(rewriter(op.operands[i]));
  };
  auto results = rebuildScan(rewriter.builder(), op, operand, region);
  for (size_t i = 0; i < op.results.size(); ++i) {
    target.value(results[i]) = rewriter.source().value(op.results[i]);
    rewriter.map(op.results[i], results[i]);
  }
}

Graph foldGraph(const Graph &graph) {
  return rewriteGraph(graph, [](const Op &op, GraphRewriter &rewriter) {
    if (op.kind != OpKind::Scan)
      return foldOp(op, rewriter);
    foldScan(op, rewriter);
    return true;
  });
}

} // namespace

void foldConstants(Module &module, const PassOptions &, Diagnostics &) {
  for (Function &function : module.functions)
    function.graph = foldGraph(function.graph);
}

} // namespace apr
