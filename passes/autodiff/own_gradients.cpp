// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/autodiff/own_gradients.h"

#include "ir/rewrite.h"

namespace apr {

bool isCutByOwnGradient(const Op &op, size_t operand) {
  return op.kind == OpKind::WithGradient &&
         (operand == 0 || operand > static_cast<size_t>(op.attributes.integer(AttrKey::Arguments)));
}

Graph dropOwnGradients(const Graph &graph) {
  return rewriteEveryGraph(graph, [](const Op &op, GraphRewriter &rewriter) {
    if (op.kind != OpKind::WithGradient)
      return false;
    ValueId value = rewriter(op.operands[0]);
    Graph &target = rewriter.builder().graph();
    const std::string &name = rewriter.source().value(op.result()).name;
    if (target.value(value).name.empty())
      target.value(value).name = name;
    rewriter.map(op.result(), value);
    return true;
  });
}

} // namespace apr
