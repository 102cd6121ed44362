// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/differentiate.h"

#include "passes/autodiff/own_gradients.h"
#include "passes/autodiff/reverse_walk.h"
#include "passes/autodiff/scan_gradient.h"
#include "passes/dead_code.h"

#include "ir/rewrite.h"

#include <algorithm>

namespace apr {
namespace {

std::vector<ValueId> mapAll(const GraphRewriter &rewriter, const std::vector<ValueId> &values) {
  std::vector<ValueId> mapped;
  for (ValueId v : values)
    mapped.push_back(rewriter(v));
  return mapped;
}

Graph expandGradients(const Graph &source, Diagnostics &diagnostics) {
  return rewriteGraph(source, [&](const Op &op, GraphRewriter &rewriter) {
    if (op.kind != OpKind::Gradient)
      return false;
    std::vector<ValueId> operands = mapAll(rewriter, op.operands);
    std::vector<ValueId> gradients =
        buildGradients(rewriter.builder(), operands.front(), std::span(operands).subspan(1),
                       op.location, diagnostics);
    for (size_t i = 0; i < gradients.size(); ++i)
      rewriter.map(op.results[i], gradients[i]);
    return true;
  });
}

bool hasGradients(const Graph &graph) {
  return std::ranges::any_of(graph.ops(), [](const Op &op) {
    return op.kind == OpKind::Gradient || (hasControlRegion(op) && hasGradients(*op.region));
  });
}

/// Regions come first, so that what is outside differentiates through plain ops. What scans keep
/// for derivatives that nobody asks for is dropped at the end.
Graph expandAllGradients(const Graph &source, Diagnostics &diagnostics) {
  if (!hasGradients(source))
    return source;
  Graph graph = transformEveryGraph(source, keepEnteringCarries);
  graph = transformEveryGraph(graph,
                              [&](const Graph &one) { return expandGradients(one, diagnostics); });
  return dropDeadCode(graph, DeadOps::Keep);
}

/// A step repeats what its grad reports.
void reportOnce(const Diagnostics &from, Diagnostics &to) {
  for (const Diagnostic &diagnostic : from.all()) {
    bool isRepeated = std::ranges::any_of(to.all(), [&](const Diagnostic &other) {
      return other.kind == diagnostic.kind && other.location == diagnostic.location &&
             other.message == diagnostic.message;
    });
    if (isRepeated)
      continue;
    Diagnostic &copy = to.report(diagnostic.kind, diagnostic.location, diagnostic.message);
    copy.notes = diagnostic.notes;
    copy.hint = diagnostic.hint;
  }
}

} // namespace

void differentiate(Module &module, const PassOptions &, Diagnostics &diagnostics) {
  for (Function &function : module.functions) {
    Diagnostics found;
    function.graph = dropOwnGradients(expandAllGradients(function.graph, found));
    reportOnce(found, diagnostics);
  }
}

} // namespace apr
