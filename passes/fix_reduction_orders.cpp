// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/fix_reduction_orders.h"

#include "ir/rewrite.h"

#include <algorithm>

namespace apr {
namespace {

bool needsOrder(const Graph &graph, const Op &op) {
  return (op.kind == OpKind::Sum || op.kind == OpKind::MatMul) &&
         isFloat(graph.type(op.result()).dtype) && !op.attributes.has(AttrKey::Order);
}

Order defaultOrder(const Graph &graph, const Op &op) {
  if (op.kind == OpKind::MatMul)
    return defaultContractionOrder();
  auto last = int64_t(graph.type(op.operands[0]).rank()) - 1;
  bool includesLast = std::ranges::count(op.attributes.integers(AttrKey::Axes), last) != 0;
  return defaultSumOrder(includesLast ? LastAxis::Reduced : LastAxis::Kept);
}

} // namespace

void fixReductionOrders(Module &module, const PassOptions &, Diagnostics &) {
  for (Function &function : module.functions) {
    Graph &graph = function.graph;
    for (size_t i = 0; i < graph.ops().size(); ++i)
      if (needsOrder(graph, graph.ops()[i]))
        graph.op(i).attributes.set(AttrKey::Order, defaultOrder(graph, graph.ops()[i]));
  }
}

} // namespace apr
