// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/rewrite.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr {

GraphRewriter::GraphRewriter(const Graph &source, Graph &target)
    : source_(source), builder_(target), map_(source.values().size(), kNoValue) {}

ValueId GraphRewriter::operator()(ValueId old) const {
  if (map_[old] == kNoValue)
    throw InternalError(
        fmt::format("value {} ('{}') is used before it is rebuilt", old, source_.value(old).name));
  return map_[old];
}

void GraphRewriter::copy(const Op &op) {
  std::vector<ValueId> operands;
  for (ValueId operand : op.operands)
    operands.push_back((*this)(operand));
  std::vector<Type> types;
  for (ValueId result : op.results)
    types.push_back(source_.type(result));
  Graph &target = builder_.graph();
  size_t index = target.addOp(op.kind, std::move(operands), op.attributes, std::move(types),
                              op.location, op.region);
  for (size_t i = 0; i < op.results.size(); ++i) {
    ValueId fresh = target.ops()[index].results[i];
    target.value(fresh) = source_.value(op.results[i]);
    map(op.results[i], fresh);
  }
}

Graph rewriteGraph(const Graph &source,
                   const std::function<bool(const Op &, GraphRewriter &)> &visit) {
  Graph target;
  GraphRewriter rewriter(source, target);
  for (ValueId argument : source.arguments()) {
    const Value &value = source.value(argument);
    ValueId fresh = target.addArgument(value.type, value.name, value.location);
    target.value(fresh).buffer = value.buffer;
    rewriter.map(argument, fresh);
  }
  for (const Op &op : source.ops()) {
    rewriter.builder().at(op.location);
    if (!visit(op, rewriter))
      rewriter.copy(op);
  }
  for (ValueId result : source.results)
    target.results.push_back(rewriter(result));
  return target;
}

bool hasControlRegion(const Op &op) { return op.region && op.kind != OpKind::Kernel; }

Graph transformEveryGraph(const Graph &graph,
                          const std::function<Graph(const Graph &)> &transform) {
  if (std::ranges::none_of(graph.ops(), hasControlRegion))
    return transform(graph);
  Graph inner = graph;
  for (size_t i = 0; i < inner.ops().size(); ++i)
    if (Op &op = inner.op(i); hasControlRegion(op))
      op.region = std::make_shared<Graph>(transformEveryGraph(*op.region, transform));
  return transform(inner);
}

Graph rewriteEveryGraph(const Graph &graph,
                        const std::function<bool(const Op &, GraphRewriter &)> &visit) {
  return transformEveryGraph(graph, [&](const Graph &one) { return rewriteGraph(one, visit); });
}

std::vector<ValueId> inlineGraph(Builder &builder, const Graph &callee,
                                 std::span<const ValueId> arguments) {
  if (arguments.size() != callee.arguments().size())
    throw InternalError("a graph is inlined with the wrong number of arguments");
  GraphRewriter rewriter(callee, builder.graph());
  for (size_t i = 0; i < arguments.size(); ++i)
    rewriter.map(callee.arguments()[i], arguments[i]);
  for (const Op &op : callee.ops())
    rewriter.copy(op);
  std::vector<ValueId> results;
  for (ValueId result : callee.results)
    results.push_back(rewriter(result));
  return results;
}

} // namespace apr
