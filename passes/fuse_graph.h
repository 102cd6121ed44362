// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"

#include <set>

namespace apr {

/// A function's graph as fusion sees it. Ops that cost nothing but index arithmetic (broadcast,
/// reshape, transpose, slice, constant, iota) are *views*: every kernel that uses one gets a copy
/// of it, so they never reach memory. All other live ops, and views that a caller asked for as
/// results or that scans read, are *nodes*, and every node belongs to one group, which becomes one
/// kernel, or stays a scan.
class FuseGraph {
public:
  explicit FuseGraph(const Graph &graph);

  const Graph &graph() const { return graph_; }
  const Op &op(size_t index) const { return graph_.ops()[index]; }
  const std::vector<size_t> &nodes() const { return nodes_; }

  /// The views between an operand and the node result or argument behind it, nearest first.
  struct Path {
    std::vector<size_t> views;
    ValueId base = kNoValue;          ///< none behind a constant or iota
    std::optional<size_t> definition; ///< the node that defines the base
  };
  Path trace(ValueId value) const;

  /// Nodes that use a value, directly or through views, ascending and each once.
  const std::vector<size_t> &users(ValueId value) const { return users_[value]; }
  bool isResult(ValueId value) const { return isResult_[value]; }

  size_t groupOf(size_t node) const { return groupOf_[node]; }
  const std::vector<size_t> &members(size_t group) const { return members_[group]; }
  /// Whether a group is elementwise arithmetic of scalars only.
  bool isScalar(size_t group) const { return isScalar_[group]; }
  /// Whether it needs nothing but arguments: what a step and its apply then have in common.
  bool isEarlyScalar(size_t group) const { return isScalar_[group] && isEarly_[group]; }
  /// Groups that have members, by their first one.
  std::vector<size_t> groups() const;
  /// Values that nodes outside the set, or the caller, use.
  std::vector<ValueId> outputsOf(const std::set<size_t> &nodes) const;
  /// Whether the groups become one without a cycle through others.
  bool canMergeWithoutCycle(size_t first, size_t second) const;
  void merge(size_t into, size_t from);
  /// Every group after those it depends on, else by first member.
  std::vector<size_t> orderedGroups() const;

private:
  std::set<size_t> successors(size_t group) const;
  bool reachesThroughOthers(size_t from, size_t to) const;

  const Graph &graph_;
  std::vector<bool> isLive_, isNode_, isResult_, isScalar_, isEarly_;
  std::vector<size_t> nodes_, groupOf_;
  std::vector<std::vector<size_t>> users_, members_;
};

} // namespace apr
