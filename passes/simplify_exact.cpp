// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/simplify_exact.h"

#include "passes/simplify/simplifier.h"

#include "ir/rewrite.h"

namespace apr {
namespace {

bool simplifyOp(const Op &op, GraphRewriter &rewriter) {
  if (op.region || op.results.size() != 1)
    return false;
  Candidate candidate{op.kind, {}, op.attributes, rewriter.source().type(op.result())};
  for (ValueId operand : op.operands)
    candidate.operands.push_back(rewriter(operand));

  Graph &target = rewriter.builder().graph();
  size_t countBefore = target.values().size();
  std::optional<ValueId> simpler = Simplifier(rewriter.builder()).simplify(candidate);
  if (!simpler)
    return false;
  if (*simpler >= countBefore)
    target.value(*simpler).name = rewriter.source().value(op.result()).name;
  rewriter.map(op.result(), *simpler);
  return true;
}

} // namespace

void simplifyExact(Module &module, const PassOptions &, Diagnostics &) {
  for (Function &function : module.functions)
    function.graph = rewriteEveryGraph(function.graph, simplifyOp);
}

} // namespace apr
