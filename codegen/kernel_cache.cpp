// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/kernel_cache.h"

#include <algorithm>

namespace apr {
namespace {

bool isSameOp(const Op &a, const Op &b) {
  return a.kind == b.kind && a.operands == b.operands && a.results == b.results &&
         a.attributes == b.attributes;
}

bool isSameRegion(const Graph &a, const Graph &b) {
  return a.arguments() == b.arguments() && a.results == b.results &&
         a.values().size() == b.values().size() && std::ranges::equal(a.ops(), b.ops(), isSameOp) &&
         std::ranges::equal(a.values(), b.values(), {}, &Value::type, &Value::type);
}

bool isOpen(const Order &order) {
  switch (order.kind()) {
  case Order::Kind::Tree:
    return isOpen(order.inner());
  case Order::Kind::Ranges:
    return !order.count().isConstant() || isOpen(order.inner());
  default:
    return false;
  }
}

bool isOpen(const std::vector<Dim> &dims) {
  return std::ranges::any_of(dims, [](const Dim &dim) { return !dim.isConstant(); });
}

bool isOpen(const AttrValue &value) {
  if (const auto *dims = std::get_if<std::vector<Dim>>(&value))
    return isOpen(*dims);
  const auto *order = std::get_if<Order>(&value);
  return order && isOpen(*order);
}

/// Whether a region means different things for different dims.
bool hasOpenDims(const Graph &region) {
  return std::ranges::any_of(region.values(),
                             [](const Value &v) { return isOpen(v.type.shape); }) ||
         std::ranges::any_of(region.ops(), [](const Op &op) {
           return std::ranges::any_of(op.attributes.entries(),
                                      [](const auto &entry) { return isOpen(entry.second); });
         });
}

} // namespace

EmittedKernel KernelCache::emit(llvm::Module &module, const Graph &graph, const Op &kernel,
                                const std::vector<std::string> &dimNames,
                                const KernelTarget &target, const std::string &symbol) {
  Entry entry{kernel.region, {}, {}, {}};
  if (hasOpenDims(*kernel.region))
    entry.dimNames = dimNames;
  for (ValueId result : kernel.results)
    entry.isVisible.push_back(hasVisibleMemory(graph.value(result)));
  for (const Entry &known : entries_)
    if (known.dimNames == entry.dimNames && known.isVisible == entry.isVisible &&
        isSameRegion(*known.region, *entry.region))
      return known.kernel;
  entry.kernel = emitKernel(module, graph, kernel, dimNames, target, symbol);
  entries_.push_back(entry);
  return entry.kernel;
}

} // namespace apr
