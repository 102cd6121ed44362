// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/fuse_elementwise.h"

#include <algorithm>

namespace apr {
namespace {

/// Whether the op's element needs the operand's at the same index only, or, in a kernel that goes
/// row by row, elements of the same row that are all read before the row is written.
bool keepsIndex(const Graph &region, const Op &op, bool isRowKernel) {
  if (isElementwise(op.kind))
    return true;
  if (!isRowKernel)
    return false;
  const Shape &from = region.type(op.operands[0]).shape;
  switch (opInfo(op.kind).family) {
  case OpFamily::Reduce:
  case OpFamily::ArgReduce: {
    const auto &axes = op.attributes.integers(AttrKey::Axes);
    return axes.empty() || axes.front() == static_cast<int64_t>(from.size() - axes.size());
  }
  case OpFamily::Broadcast: {
    const auto &axes = op.attributes.integers(AttrKey::Axes);
    for (size_t i = 0; i < axes.size(); ++i)
      if (axes[i] != static_cast<int64_t>(i))
        return false;
    return !axes.empty();
  }
  default:
    return false;
  }
}

} // namespace

bool readsOnlyAtWrittenIndex(const Op &kernel, size_t operand, size_t result) {
  const Graph &region = *kernel.region;
  const ValueId argument = region.arguments()[operand];
  const ValueId written = region.results[result];
  if (region.type(argument) != region.type(written))
    return false;
  if (!kernel.attributes.has(AttrKey::Form))
    return false;
  const std::string &form = kernel.attributes.string(AttrKey::Form);
  if (form == "scatter")
    return std::ranges::all_of(region.ops(), [&](const Op &op) {
      for (size_t i = 0; i < op.operands.size(); ++i)
        if (op.operands[i] == argument && (opInfo(op.kind).family != OpFamily::Scatter || i != 0))
          return false;
      return true;
    });
  std::vector<bool> depends(region.values().size());
  depends[argument] = true;
  for (const Op &op : region.ops()) {
    const bool isReader = std::ranges::any_of(op.operands, [&](ValueId v) { return depends[v]; });
    if (!isReader)
      continue;
    if (!keepsIndex(region, op, form == "row"))
      return false;
    for (ValueId v : op.results)
      depends[v] = true;
  }
  return true;
}

} // namespace apr
