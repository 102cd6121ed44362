// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/dce.h"

#include "ir/rewrite.h"

#include <algorithm>

namespace apr {
namespace {

/// Marks every value that a result of the graph depends on, in one walk against the order.
std::vector<bool> findLiveValues(const Graph &graph) {
  std::vector<bool> live(graph.values().size());
  for (ValueId result : graph.results)
    live[result] = true;
  for (size_t i = graph.ops().size(); i-- > 0;) {
    const Op &op = graph.ops()[i];
    if (std::ranges::any_of(op.results, [&](ValueId v) { return live[v]; }))
      for (ValueId operand : op.operands)
        live[operand] = true;
  }
  return live;
}

Graph dropDeadOps(const Graph &source) {
  std::vector<bool> live = findLiveValues(source);
  return rewriteGraph(source, [&](const Op &op, GraphRewriter &) {
    // An op counts as replaced, by nothing, where nobody will ask for its results.
    return std::ranges::none_of(op.results, [&](ValueId v) { return live[v]; });
  });
}

} // namespace

void dce(Module &module, const PassOptions &, Diagnostics &) {
  for (Function &function : module.functions)
    function.graph = dropDeadOps(function.graph);
}

} // namespace apr
