// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/cse.h"

#include "ir/rewrite.h"

#include <algorithm>
#include <map>

namespace apr {
namespace {

/// x op y and y op x have the same bits (a NaN is a NaN).
bool isCommutative(OpKind kind) {
  switch (kind) {
  case OpKind::Add:
  case OpKind::Mul:
  case OpKind::Min:
  case OpKind::Max:
  case OpKind::And:
  case OpKind::Or:
  case OpKind::Xor:
  case OpKind::Eq:
  case OpKind::Ne:
    return true;
  default:
    return false;
  }
}

/// What is ordered about an op; the rest is compared among the ops that agree in it. The bytes of
/// constants are part of it, because there are many constants and all have no operands.
struct Key {
  OpKind kind;
  std::vector<ValueId> operands;
  std::vector<std::byte> literal;
  friend auto operator<=>(const Key &, const Key &) = default;
};

Key keyOf(const Op &op, const GraphRewriter &rewriter) {
  std::vector<ValueId> operands;
  for (ValueId operand : op.operands)
    operands.push_back(rewriter(operand));
  if (isCommutative(op.kind))
    std::ranges::sort(operands);
  std::vector<std::byte> literal;
  if (op.kind == OpKind::Constant)
    literal = op.attributes.literal().bytes;
  return {op.kind, std::move(operands), std::move(literal)};
}

bool isEqual(const Graph &graph, const Op &a, const Op &b) {
  return a.attributes == b.attributes &&
         std::ranges::equal(a.results, b.results,
                            [&](ValueId x, ValueId y) { return graph.type(x) == graph.type(y); });
}

Graph eliminate(const Graph &source) {
  // Ops of the source that were kept, by key; results are looked up through the rewriter.
  std::map<Key, std::vector<const Op *>> kept;
  return rewriteGraph(source, [&](const Op &op, GraphRewriter &rewriter) {
    if (op.region)
      return false;
    std::vector<const Op *> &candidates = kept[keyOf(op, rewriter)];
    auto same = std::ranges::find_if(candidates,
                                     [&](const Op *other) { return isEqual(source, *other, op); });
    if (same == candidates.end()) {
      candidates.push_back(&op);
      return false;
    }
    for (size_t i = 0; i < op.results.size(); ++i)
      rewriter.map(op.results[i], rewriter((*same)->results[i]));
    return true;
  });
}

} // namespace

void cse(Module &module, const PassOptions &, Diagnostics &) {
  for (Function &function : module.functions)
    function.graph = transformEveryGraph(function.graph, eliminate);
}

} // namespace apr
