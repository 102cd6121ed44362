// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A worklist of values that something needs, each with the graph that it is in, so that the whole
// is linear however deep scans nest: what a step needs of a carry, the step before must make.
#include "passes/dead_code.h"

#include "ir/rewrite.h"
#include "ir/scan.h"

#include <algorithm>
#include <map>

namespace apr {
namespace {

/// A graph with the values that are needed; the regions of its scans likewise, by op.
struct LiveGraph {
  explicit LiveGraph(const Graph &graph) : graph(&graph), isLive(graph.values().size()) {}

  const Graph *graph;
  std::vector<bool> isLive;
  std::map<size_t, std::unique_ptr<LiveGraph>> regions;

  // Of a region:
  LiveGraph *outer = nullptr;
  const Op *scan = nullptr;
  std::vector<bool> keepsResult; ///< carries and outputs that the new scan has

  bool isAnyLive(const std::vector<ValueId> &values) const {
    return std::ranges::any_of(values, [&](ValueId v) { return bool(isLive[v]); });
  }
};

class LiveFinder {
public:
  std::unique_ptr<LiveGraph> find(const Graph &graph, DeadOps deadOps) {
    auto top = std::make_unique<LiveGraph>(graph);
    for (ValueId result : graph.results)
      need(*top, result);
    if (deadOps == DeadOps::Keep)
      for (const Op &op : graph.ops())
        if (op.kind != OpKind::Scan)
          needAll(*top, op.operands);
    while (!pending_.empty()) {
      auto [live, value] = pending_.back();
      pending_.pop_back();
      visit(*live, value);
    }
    return top;
  }

private:
  void need(LiveGraph &live, ValueId value) {
    if (live.isLive[value])
      return;
    live.isLive[value] = true;
    pending_.push_back({&live, value});
  }

  void needAll(LiveGraph &live, const std::vector<ValueId> &values) {
    for (ValueId v : values)
      need(live, v);
  }

  void visit(LiveGraph &live, ValueId value) {
    auto index = live.graph->definitionIndex(value);
    if (!index)
      return visitArgument(live, value);
    const Op &op = live.graph->ops()[*index];
    if (op.kind != OpKind::Scan)
      return needAll(live, op.operands);
    std::unique_ptr<LiveGraph> &region = live.regions[*index];
    if (!region) {
      region = std::make_unique<LiveGraph>(*op.region);
      region->outer = &live;
      region->scan = &op;
      region->keepsResult.resize(op.results.size());
    }
    keepResult(*region, size_t(std::ranges::find(op.results, value) - op.results.begin()));
  }

  void visitArgument(LiveGraph &live, ValueId value) {
    if (!live.scan)
      return;
    const auto &arguments = live.graph->arguments();
    const auto index = size_t(std::ranges::find(arguments, value) - arguments.begin());
    if (ScanParts(*live.scan).isCarry(index))
      keepResult(live, index);
    else
      need(*live.outer, live.scan->operands[index]);
  }

  void keepResult(LiveGraph &region, size_t index) {
    if (region.keepsResult[index])
      return;
    region.keepsResult[index] = true;
    need(region, region.graph->results[index]);
    if (ScanParts(*region.scan).isCarry(index))
      need(*region.outer, region.scan->operands[index]);
  }

  std::vector<std::pair<LiveGraph *, ValueId>> pending_;
};

class Rebuilder {
public:
  Rebuilder(const LiveGraph &live, DeadOps deadOps)
      : live_(live), deadOps_(deadOps), rewriter_(*live.graph, target_) {}

  Graph rebuild() {
    const Graph &source = *live_.graph;
    for (size_t i = 0; i < source.arguments().size(); ++i)
      if (keepsArgument(i))
        addArgument(source.arguments()[i]);
    for (size_t i = 0; i < source.ops().size(); ++i)
      addOp(i);
    for (size_t i = 0; i < source.results.size(); ++i)
      if (!live_.scan || live_.keepsResult[i])
        target_.results.push_back(rewriter_(source.results[i]));
    return std::move(target_);
  }

private:
  bool keepsArgument(size_t index) const {
    if (!live_.scan)
      return true;
    if (ScanParts(*live_.scan).isCarry(index))
      return live_.keepsResult[index];
    return live_.isLive[live_.graph->arguments()[index]];
  }

  void addArgument(ValueId argument) {
    const Value &value = live_.graph->value(argument);
    const ValueId fresh = target_.addArgument(value.type, value.name, value.location);
    target_.value(fresh).buffer = value.buffer;
    rewriter_.map(argument, fresh);
  }

  void addOp(size_t index) {
    const Op &op = live_.graph->ops()[index];
    if (auto region = live_.regions.find(index); region != live_.regions.end())
      addScan(op, *region->second);
    else if (op.kind != OpKind::Scan && (deadOps_ == DeadOps::Keep || live_.isAnyLive(op.results)))
      rewriter_.copy(op);
  }

  void addScan(const Op &op, const LiveGraph &live) {
    Rebuilder region(live, DeadOps::Drop);
    auto operand = [&](size_t i) -> std::optional<ValueId> {
      return region.keepsArgument(i) ? std::optional(rewriter_(op.operands[i])) : std::nullopt;
    };
    auto results = rebuildScan(rewriter_.builder().at(op.location), op, operand,
                               std::make_shared<Graph>(region.rebuild()));
    size_t next = 0;
    for (size_t i = 0; i < op.results.size(); ++i)
      if (live.keepsResult[i]) {
        target_.value(results[next]) = live_.graph->value(op.results[i]);
        rewriter_.map(op.results[i], results[next++]);
      }
  }

  const LiveGraph &live_;
  DeadOps deadOps_;
  Graph target_;
  GraphRewriter rewriter_;
};

} // namespace

Graph dropDeadCode(const Graph &graph, DeadOps deadOps) {
  auto live = LiveFinder().find(graph, deadOps);
  return Rebuilder(*live, deadOps).rebuild();
}

} // namespace apr
