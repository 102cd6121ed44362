// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/fix_reduction_orders.h"

#include "ir/rewrite.h"

#include <algorithm>

namespace apr {
namespace {

bool isContraction(OpKind kind) {
  const OpFamily family = opInfo(kind).family;
  return family == OpFamily::Contract || family == OpFamily::Conv;
}

bool needsOrder(const Graph &graph, const Op &op) {
  return (op.kind == OpKind::Sum || op.kind == OpKind::Product || isContraction(op.kind)) &&
         isFloat(graph.type(op.result()).dtype) && !op.attributes.has(AttrKey::Order);
}

Order defaultOrder(const Graph &graph, const Op &op) {
  if (isContraction(op.kind))
    return defaultContractionOrder();
  auto last = int64_t(graph.type(op.operands[0]).rank()) - 1;
  bool includesLast = std::ranges::count(op.attributes.integers(AttrKey::Axes), last) != 0;
  return defaultSumOrder(includesLast ? LastAxis::Reduced : LastAxis::Kept);
}

Graph fixOrders(Graph graph) {
  for (size_t i = 0; i < graph.ops().size(); ++i)
    if (needsOrder(graph, graph.ops()[i]))
      graph.op(i).attributes.set(AttrKey::Order, defaultOrder(graph, graph.ops()[i]));
  return graph;
}

} // namespace

void fixReductionOrders(Module &module, const PassOptions &, Diagnostics &) {
  for (Function &function : module.functions)
    function.graph = transformEveryGraph(function.graph, fixOrders);
}

} // namespace apr
