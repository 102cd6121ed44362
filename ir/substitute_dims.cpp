// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/substitute_dims.h"

namespace apr {
namespace {

Order substituted(const Order &order, const DimReplacements &replacements) {
  if (order.kind() == Order::Kind::Ranges)
    return Order::ranges(order.count().substitute(replacements),
                         substituted(order.inner(), replacements));
  if (order.kind() == Order::Kind::Tree)
    return Order::tree(substituted(order.inner(), replacements));
  return order;
}

void substitute(Shape &shape, const DimReplacements &replacements) {
  for (Dim &dim : shape)
    dim = dim.substitute(replacements);
}

Attributes substituted(const Attributes &attributes, const DimReplacements &replacements) {
  Attributes result;
  for (auto [key, value] : attributes.entries()) {
    if (auto *shape = std::get_if<std::vector<Dim>>(&value))
      substitute(*shape, replacements);
    else if (auto *order = std::get_if<Order>(&value))
      *order = substituted(*order, replacements);
    result.set(key, std::move(value));
  }
  return result;
}

} // namespace

void substituteDims(Graph &graph, const DimReplacements &replacements) {
  for (ValueId v = 0; v < graph.values().size(); ++v) {
    substitute(graph.value(v).type.shape, replacements);
    if (auto &buffer = graph.value(v).buffer)
      buffer->offset = buffer->offset.substitute(replacements);
  }
  for (size_t i = 0; i < graph.ops().size(); ++i) {
    Op &op = graph.op(i);
    op.attributes = substituted(op.attributes, replacements);
    if (op.region) {
      auto region = std::make_shared<Graph>(*op.region);
      substituteDims(*region, replacements);
      op.region = std::move(region);
    }
  }
}

void substituteDims(Function &function, const DimReplacements &replacements) {
  for (Argument &argument : function.arguments)
    if (argument.indexLimit)
      argument.indexLimit = argument.indexLimit->substitute(replacements);
  if (function.workspaceBytes)
    function.workspaceBytes = function.workspaceBytes->substitute(replacements);
  for (DimCheck &check : function.checks)
    check.value = check.value.substitute(replacements);
  substituteDims(function.graph, replacements);
}

} // namespace apr
