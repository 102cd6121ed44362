// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Copies: a result that is an argument, or that another result has claimed, gets a kernel that
// copies it, as does a carry that is used elsewhere too. Constraints: a result may overwrite an old
// value if its op can run after all other readers of it, which a search for a cycle decides; the
// others are bounced through the workspace by a copy at the end. Order: a stable topological sort.
#include "passes/memory_order.h"

#include "ir/rewrite.h"
#include "ir/scan.h"
#include "passes/fuse_elementwise.h"

#include <fmt/format.h>

#include <algorithm>
#include <queue>

namespace apr {

ValueId appendCopy(Builder &builder, ValueId source) {
  auto region = std::make_shared<Graph>();
  const ValueId argument = region->addArgument(builder.type(source));
  Builder inner(*region);
  region->results.push_back(inner.create(OpKind::StopGradient, {argument}));
  Attributes attributes{{AttrKey::Form, std::string("map")}};
  return builder.createMulti(OpKind::Kernel, {source}, attributes, {builder.type(source)}, region)
      .front();
}

namespace {

ValueId carryOf(const Graph &region, size_t result, size_t carries) {
  return result < carries ? region.arguments()[result] : kNoValue;
}

class MemoryOrderer {
public:
  MemoryOrderer(Graph &graph, const OverwrittenValue &overwritten, const CopyRemarks &remarks)
      : graph_(graph), overwritten_(overwritten), remarks_(remarks) {}

  void run() {
    orderRegions();
    separateCarries();
    separateResults();
    decideOverwriting();
    reorder();
  }

private:
  bool isArgument(ValueId v) { return !graph_.definitionIndex(v); }
  bool isUnchanged(size_t result) { return graph_.results[result] == overwritten_(graph_, result); }

  void orderRegions() {
    for (size_t i = 0; i < graph_.ops().size(); ++i) {
      Op &op = graph_.op(i);
      if (op.kind != OpKind::Scan)
        continue;
      auto region = std::make_shared<Graph>(*op.region);
      const size_t carries = ScanParts(op).carries;
      orderForMemory(
          *region, [carries](const Graph &g, size_t result) { return carryOf(g, result, carries); },
          remarks_);
      op.region = std::move(region);
    }
  }

  void separateCarries() {
    if (std::ranges::none_of(graph_.ops(), [](const Op &op) { return op.kind == OpKind::Scan; }))
      return;
    const std::vector<uint32_t> uses = graph_.useCounts();
    graph_ = rewriteGraph(graph_, [&](const Op &op, GraphRewriter &rewriter) {
      if (op.kind != OpKind::Scan)
        return false;
      std::vector<ValueId> operands;
      for (size_t k = 0; k < op.operands.size(); ++k) {
        const ValueId operand = op.operands[k];
        const bool isFree = k >= ScanParts(op).carries ||
                            (uses[operand] == 1 && rewriter.source().definitionIndex(operand));
        operands.push_back(isFree ? rewriter(operand)
                                  : appendCopy(rewriter.builder(), rewriter(operand)));
      }
      copyScan(op, std::move(operands), rewriter);
      return true;
    });
  }

  static void copyScan(const Op &op, std::vector<ValueId> operands, GraphRewriter &rewriter) {
    std::vector<Type> types;
    for (ValueId result : op.results)
      types.push_back(rewriter.source().type(result));
    Graph &target = rewriter.builder().graph();
    const size_t index = target.addOp(op.kind, std::move(operands), op.attributes, std::move(types),
                                      op.location, op.region);
    for (size_t i = 0; i < op.results.size(); ++i) {
      const ValueId fresh = target.ops()[index].results[i];
      target.value(fresh) = rewriter.source().value(op.results[i]);
      rewriter.map(op.results[i], fresh);
    }
  }

  void separateResults() {
    std::vector<bool> claimed(graph_.values().size());
    for (size_t i = 0; i < graph_.results.size(); ++i) {
      const ValueId v = graph_.results[i];
      if (isUnchanged(i))
        continue;
      if (!isArgument(v) && !claimed[v]) {
        claimed[v] = true;
        continue;
      }
      Builder builder(graph_);
      graph_.results[i] = appendCopy(builder, v);
    }
  }

  std::vector<std::vector<size_t>> readersOfValues() {
    std::vector<std::vector<size_t>> readers(graph_.values().size());
    for (size_t k = 0; k < graph_.ops().size(); ++k)
      for (ValueId operand : graph_.ops()[k].operands)
        if (readers[operand].empty() || readers[operand].back() != k)
          readers[operand].push_back(k);
    return readers;
  }

  /// True where one of the targets runs after `from` whatever the order.
  bool reachesAny(size_t from, const std::vector<size_t> &targets) {
    std::vector<bool> seen(successors_.size());
    std::vector<size_t> stack{from};
    seen[from] = true;
    while (!stack.empty()) {
      const size_t k = stack.back();
      stack.pop_back();
      for (size_t next : successors_[k]) {
        if (std::ranges::find(targets, next) != targets.end())
          return true;
        if (!seen[next]) {
          seen[next] = true;
          stack.push_back(next);
        }
      }
    }
    return false;
  }

  void addDataflowEdges() {
    successors_.assign(graph_.ops().size(), {});
    for (size_t k = 0; k < graph_.ops().size(); ++k)
      for (ValueId operand : graph_.ops()[k].operands)
        if (auto definition = graph_.definitionIndex(operand))
          successors_[*definition].push_back(k);
  }

  bool overwriteInPlace(size_t result, const std::vector<std::vector<size_t>> &readers) {
    const ValueId old = overwritten_(graph_, result);
    if (old == kNoValue)
      return true;
    ValueId first = kNoValue;
    forEachInMemory(graph_, graph_.results[result], [&](ValueId v) { first = v; });
    const size_t k = *graph_.definitionIndex(first);
    if (!mayOverwrite(graph_, k, old, first))
      return false;
    std::vector<size_t> others = readers[old];
    std::erase(others, k);
    if (reachesAny(k, others))
      return false;
    for (size_t reader : others)
      successors_[reader].push_back(k);
    return true;
  }

  void decideOverwriting() {
    addDataflowEdges();
    const auto readers = readersOfValues();
    std::vector<size_t> bounced;
    for (size_t i = 0; i < graph_.results.size(); ++i)
      if (!isUnchanged(i) && !overwriteInPlace(i, readers))
        bounced.push_back(i);
    for (size_t i : bounced)
      bounce(i);
  }

  /// Copies read the workspace only, so at the end of the order they come after every reader of the
  /// old value.
  void bounce(size_t result) {
    if (remarks_.remarks)
      remarks_.remarks->push_back(fmt::format(
          "{}: the new value of '{}' is made in the workspace and copied, because its kernel "
          "cannot come after every reader of the old value",
          remarks_.function, graph_.value(overwritten_(graph_, result)).name));
    Builder builder(graph_);
    const size_t before = graph_.ops().size();
    graph_.results[result] = appendCopy(builder, graph_.results[result]);
    successors_.emplace_back();
    for (size_t k = 0; k < before; ++k)
      successors_[k].push_back(before);
  }

  /// Ops in an order that keeps all edges, the lowest old index first among those that may run.
  std::vector<size_t> sortedOps() {
    std::vector<size_t> pending(successors_.size());
    for (const auto &successors : successors_)
      for (size_t next : successors)
        ++pending[next];
    std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
    for (size_t k = 0; k < pending.size(); ++k)
      if (pending[k] == 0)
        ready.push(k);
    std::vector<size_t> order;
    while (!ready.empty()) {
      const size_t k = ready.top();
      ready.pop();
      order.push_back(k);
      for (size_t next : successors_[k])
        if (--pending[next] == 0)
          ready.push(next);
    }
    if (order.size() != successors_.size())
      throw InternalError("plan-buffers made a cycle of kernels in " + remarks_.function);
    return order;
  }

  void reorder() {
    const std::vector<size_t> order = sortedOps();
    if (std::ranges::is_sorted(order))
      return;
    Graph ordered;
    GraphRewriter rewriter(graph_, ordered);
    for (ValueId argument : graph_.arguments()) {
      const Value &value = graph_.value(argument);
      rewriter.map(argument, ordered.addArgument(value.type, value.name, value.location));
    }
    for (size_t k : order)
      rewriter.copy(graph_.ops()[k]);
    for (ValueId result : graph_.results)
      ordered.results.push_back(rewriter(result));
    graph_ = std::move(ordered);
  }

  Graph &graph_;
  const OverwrittenValue &overwritten_;
  const CopyRemarks &remarks_;
  std::vector<std::vector<size_t>> successors_; ///< ops that must run later, per op
};

} // namespace

void orderForMemory(Graph &graph, const OverwrittenValue &overwritten, const CopyRemarks &remarks) {
  MemoryOrderer(graph, overwritten, remarks).run();
}

void forEachInMemory(const Graph &graph, ValueId v, const std::function<void(ValueId)> &visit) {
  visit(v);
  while (const Op *op = graph.definition(v)) {
    if (op->kind != OpKind::Scan)
      return;
    const auto index = size_t(std::ranges::find(op->results, v) - op->results.begin());
    if (!ScanParts(*op).isCarry(index))
      return;
    v = op->operands[index];
    visit(v);
  }
}

bool mayOverwrite(const Graph &graph, size_t index, ValueId old, ValueId result) {
  const Op &op = graph.ops()[index];
  if (op.kind != OpKind::Kernel)
    return std::ranges::count(op.operands, old) == 0;
  const auto resultIndex = size_t(std::ranges::find(op.results, result) - op.results.begin());
  for (size_t j = 0; j < op.operands.size(); ++j)
    if (op.operands[j] == old && !readsOnlyAtWrittenIndex(op, j, resultIndex))
      return false;
  return true;
}

} // namespace apr
