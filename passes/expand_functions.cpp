// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/expand_functions.h"

#include "ir/expansions/expansions.h"
#include "ir/rewrite.h"

namespace apr {
namespace {

/// Puts the expansion in the op's place; its value keeps the op's name.
void expand(const Op &op, GraphRewriter &rewriter) {
  std::vector<ValueId> operands;
  for (ValueId operand : op.operands)
    operands.push_back(rewriter(operand));
  Graph expansion = expansionOf(rewriter.source(), op);
  ValueId replacement = inlineGraph(rewriter.builder(), expansion, operands).front();
  rewriter.builder().graph().value(replacement).name = rewriter.source().value(op.result()).name;
  rewriter.map(op.result(), replacement);
}

Graph expandGraph(const Graph &graph) {
  return rewriteEveryGraph(graph, [](const Op &op, GraphRewriter &rewriter) {
    if (!hasExpansion(rewriter.source(), op))
      return false;
    expand(op, rewriter);
    return true;
  });
}

} // namespace

void expandFunctions(Module &module, const PassOptions &, Diagnostics &) {
  for (Function &function : module.functions)
    function.graph = expandGraph(function.graph);
}

} // namespace apr
