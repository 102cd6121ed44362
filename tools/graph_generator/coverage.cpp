// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/graph_generator/coverage.h"

#include "passes/autodiff/gradient_flow.h"

#include <algorithm>

namespace apr::fuzz {
namespace {

void collect(const Graph &graph, std::set<OpKind> &kinds) {
  for (const Op &op : graph.ops()) {
    kinds.insert(op.kind);
    if (op.region)
      collect(*op.region, kinds);
  }
}

void collectDifferentiated(const Graph &graph, const Op &gradient, std::set<OpKind> &kinds) {
  GradientFlow flow;
  std::vector<bool> isReached(graph.values().size()), isWanted(graph.values().size());
  for (size_t i = 1; i < gradient.operands.size(); ++i)
    isReached[gradient.operands[i]] = true;
  auto flows = [&](const Op &op, size_t operand, size_t result) {
    return flow.flows(graph, op, operand, result);
  };
  for (const Op &op : graph.ops())
    for (size_t r = 0; r < op.results.size(); ++r)
      for (size_t i = 0; i < op.operands.size(); ++i)
        if (isReached[op.operands[i]] && !isReached[op.results[r]] && flows(op, i, r))
          isReached[op.results[r]] = true;
  isWanted[gradient.operands[0]] = true;
  for (auto op = graph.ops().rbegin(); op != graph.ops().rend(); ++op)
    for (size_t r = 0; r < op->results.size(); ++r)
      for (size_t i = 0; isWanted[op->results[r]] && i < op->operands.size(); ++i)
        if (isReached[op->operands[i]] && flows(*op, i, r)) {
          isWanted[op->operands[i]] = true;
          kinds.insert(op->kind);
        }
  kinds.insert(OpKind::Gradient);
}

} // namespace

bool canHaveDerivative(OpKind kind) {
  switch (opInfo(kind).family) {
  case OpFamily::UnaryLogic:
  case OpFamily::Identity:
  case OpFamily::BinaryInteger:
  case OpFamily::BinaryLogic:
  case OpFamily::Compare:
  case OpFamily::Bitcast:
  case OpFamily::ArgReduce:
  case OpFamily::Sort:
  case OpFamily::OneHot:
  case OpFamily::Constant:
  case OpFamily::Iota:
  case OpFamily::Random:
  case OpFamily::Kernel:
    return false;
  default:
    return kind != OpKind::Sign && kind != OpKind::Floor && kind != OpKind::Ceil &&
           kind != OpKind::Round;
  }
}

std::set<OpKind> opsOf(const Module &module) {
  std::set<OpKind> kinds;
  for (const Function &function : module.functions)
    collect(function.graph, kinds);
  return kinds;
}

std::set<OpKind> differentiatedOpsOf(const Module &module) {
  std::set<OpKind> kinds;
  for (const Function &function : module.functions)
    for (const Op &op : function.graph.ops())
      if (op.kind == OpKind::Gradient)
        collectDifferentiated(function.graph, op, kinds);
  return kinds;
}

} // namespace apr::fuzz
