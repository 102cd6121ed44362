// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/builder.h"

#include <functional>

namespace apr {

/// The state of one walk over a graph that builds another: which new value stands for each old one.
class GraphRewriter {
public:
  GraphRewriter(const Graph &source, Graph &target);

  const Graph &source() const { return source_; }
  Builder &builder() { return builder_; }

  /// The new value of an old one; internal error where it has none yet.
  ValueId operator()(ValueId old) const;
  bool isMapped(ValueId old) const { return map_[old] != kNoValue; }
  void map(ValueId old, ValueId replacement) { map_[old] = replacement; }

  /// Copies an op with mapped operands, keeping names, locations, buffers and region.
  void copy(const Op &op);

private:
  const Graph &source_;
  Builder builder_;
  std::vector<ValueId> map_;
};

/// Rebuilds a graph. For each op, in order, `visit` either maps all its results itself and returns
/// true, or returns false to have it copied. Regions are kept as they are.
Graph rewriteGraph(const Graph &source,
                   const std::function<bool(const Op &, GraphRewriter &)> &visit);

/// True for an op whose region is a graph of the function's own ops, at the same stage of the
/// pipeline as the function: all regions but those of kernels.
bool hasControlRegion(const Op &op);

/// Applies `transform` to a graph and the control regions in it, innermost first. `transform` keeps
/// the arguments and the number and types of the results.
Graph transformEveryGraph(const Graph &graph, const std::function<Graph(const Graph &)> &transform);

/// rewriteGraph for a graph and the control regions in it, innermost first.
Graph rewriteEveryGraph(const Graph &graph,
                        const std::function<bool(const Op &, GraphRewriter &)> &visit);

/// Copies the ops of `callee` to the builder's graph with `arguments` for its arguments; returns
/// its results.
std::vector<ValueId> inlineGraph(Builder &builder, const Graph &callee,
                                 std::span<const ValueId> arguments);

} // namespace apr
