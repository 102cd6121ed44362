// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/fuse_graph.h"

#include <algorithm>

namespace apr {
namespace {

bool isFree(OpKind kind) {
  switch (opInfo(kind).family) {
  case OpFamily::Reshape:
  case OpFamily::Transpose:
  case OpFamily::Broadcast:
  case OpFamily::Slice:
  case OpFamily::Reverse:
  case OpFamily::Window:
  case OpFamily::Constant:
  case OpFamily::Iota:
    return true;
  default:
    return false;
  }
}

bool movesLastAxis(const Op &transpose) {
  const auto &perm = transpose.attributes.integers(AttrKey::Perm);
  return perm.back() + 1 != static_cast<int64_t>(perm.size());
}

/// True for a product that would jump about in its second factor: it walks along the rows of any
/// number of terms, and a panel of them is too long to be packed. Transposed rows are better
/// written down once.
bool needsRowsStored(const Graph &graph, const Op &op) {
  if (op.kind != OpKind::MatMul || op.attributes.integerOr0(AttrKey::TransposeB) != 0)
    return false;
  const Shape &shape = graph.type(op.operands[1]).shape;
  if (shape[shape.size() - 2].isConstant())
    return false;
  bool isReshaped = false;
  const Op *view = graph.definition(op.operands[1]);
  for (; view && isFree(view->kind) && !view->operands.empty();
       view = graph.definition(view->operands[0])) {
    if (view->kind == OpKind::Transpose && (isReshaped || movesLastAxis(*view)))
      return true;
    isReshaped = isReshaped || view->kind == OpKind::Reshape;
  }
  return false;
}

} // namespace

FuseGraph::FuseGraph(const Graph &graph)
    : graph_(graph), isLive_(graph.ops().size()), isNode_(graph.ops().size()),
      isResult_(graph.values().size()), isScalar_(graph.ops().size()), isEarly_(graph.ops().size()),
      groupOf_(graph.ops().size()), users_(graph.values().size()), members_(graph.ops().size()) {
  // A scan reads its operands from memory, as a caller reads results.
  std::vector<bool> isUsed(graph.values().size()), isStored(graph.values().size());
  for (ValueId result : graph.results)
    isResult_[result] = isUsed[result] = true;
  for (size_t i = graph.ops().size(); i-- > 0;) {
    const Op &op = graph.ops()[i];
    isLive_[i] = std::ranges::any_of(op.results, [&](ValueId v) { return isUsed[v]; });
    if (!isLive_[i])
      continue;
    const bool isReturned =
        std::ranges::any_of(op.results, [&](ValueId v) { return isResult_[v] || isStored[v]; });
    isNode_[i] = !isFree(op.kind) || isReturned;
    for (ValueId operand : op.operands) {
      isUsed[operand] = true;
      isStored[operand] = isStored[operand] || op.kind == OpKind::Scan;
    }
    if (needsRowsStored(graph, op))
      isStored[op.operands[1]] = true;
  }
  for (size_t i = 0; i < graph.ops().size(); ++i) {
    if (!isNode_[i])
      continue;
    nodes_.push_back(i);
    const Op &op = graph.ops()[i];
    isScalar_[i] =
        (isElementwise(op.kind) || op.operands.empty()) && graph.type(op.result()).rank() == 0;
    groupOf_[i] = i;
    members_[i] = {i};
    isEarly_[i] = isScalar_[i];
    for (ValueId operand : graph.ops()[i].operands) {
      const auto [views, base, definition] = trace(operand);
      if (definition && !isEarly_[*definition])
        isEarly_[i] = false;
      if (base != kNoValue && (users_[base].empty() || users_[base].back() != i))
        users_[base].push_back(i);
    }
  }
}

FuseGraph::Path FuseGraph::trace(ValueId value) const {
  Path path;
  while (true) {
    auto definition = graph_.definitionIndex(value);
    if (!definition || isNode_[*definition]) {
      path.base = value;
      path.definition = definition;
      return path;
    }
    path.views.push_back(*definition);
    const Op &view = op(*definition);
    if (view.operands.empty())
      return path;
    value = view.operands[0];
  }
}

std::vector<size_t> FuseGraph::groups() const {
  std::vector<size_t> result;
  for (size_t node : nodes_)
    if (members_[groupOf_[node]].front() == node)
      result.push_back(groupOf_[node]);
  return result;
}

std::vector<ValueId> FuseGraph::outputsOf(const std::set<size_t> &nodes) const {
  std::vector<ValueId> outputs;
  for (size_t node : nodes)
    for (ValueId result : op(node).results)
      if (isResult(result) ||
          std::ranges::any_of(users(result), [&](size_t user) { return !nodes.contains(user); }))
        outputs.push_back(result);
  return outputs;
}

std::set<size_t> FuseGraph::successors(size_t group) const {
  std::set<size_t> result;
  for (size_t node : members_[group])
    for (ValueId value : op(node).results)
      for (size_t user : users(value))
        if (groupOf_[user] != group)
          result.insert(groupOf_[user]);
  return result;
}

bool FuseGraph::reachesThroughOthers(size_t from, size_t to) const {
  std::vector<bool> seen(members_.size());
  std::vector<size_t> pending{from};
  seen[from] = true;
  while (!pending.empty()) {
    const size_t group = pending.back();
    pending.pop_back();
    for (size_t node : members_[group])
      for (ValueId value : op(node).results)
        for (size_t user : users(value)) {
          const size_t next = groupOf_[user];
          if (next == to && group != from)
            return true;
          if (!seen[next] && next != to) {
            seen[next] = true;
            pending.push_back(next);
          }
        }
  }
  return false;
}

bool FuseGraph::canMergeWithoutCycle(size_t first, size_t second) const {
  return !reachesThroughOthers(first, second) && !reachesThroughOthers(second, first);
}

void FuseGraph::merge(size_t into, size_t from) {
  std::vector<size_t> all;
  std::ranges::merge(members_[into], members_[from], std::back_inserter(all));
  for (size_t node : members_[from])
    groupOf_[node] = into;
  isScalar_[into] = isScalar_[into] && isScalar_[from];
  isEarly_[into] = isEarly_[into] && isEarly_[from];
  members_[from].clear();
  members_[into] = std::move(all);
}

std::vector<size_t> FuseGraph::orderedGroups() const {
  std::map<size_t, size_t> pending; // predecessors left, by group
  for (size_t group : groups())
    pending.emplace(group, 0);
  for (const auto &[group, count] : pending)
    for (size_t next : successors(group))
      ++pending[next];
  std::set<std::pair<size_t, size_t>> ready; // first member, group
  for (const auto &[group, count] : pending)
    if (count == 0)
      ready.insert({members_[group].front(), group});
  std::vector<size_t> order;
  while (!ready.empty()) {
    const size_t group = ready.begin()->second;
    ready.erase(ready.begin());
    order.push_back(group);
    for (size_t next : successors(group))
      if (--pending[next] == 0)
        ready.insert({members_[next].front(), next});
  }
  if (order.size() != pending.size())
    throw InternalError("fuse-elementwise made a cycle of kernels");
  return order;
}

} // namespace apr
