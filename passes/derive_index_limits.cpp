// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/derive_index_limits.h"

#include "ir/scan.h"

#include <algorithm>

namespace apr {
namespace {

/// How the elements of a value come from one input.
struct Origin {
  ValueId input = kNoValue;
  bool isWhole = true; ///< false after a slice
};

/// What the uses of an input say about it.
struct Uses {
  std::vector<Dim> wholeLimits;  ///< of index operands that see every element
  std::vector<Dim> slicedLimits; ///< of index operands that see some
  bool hasOtherUse = false;
};

/// Entry points check inputs of the index types.
bool canBeChecked(DType dtype) { return dtype == DType::I32 || dtype == DType::I64; }

bool isWidening(DType from, DType to) {
  return isInteger(from) && isInteger(to) && byteSize(from) <= byteSize(to) &&
         (from != DType::U8 || to != DType::U8);
}

/// True where the result holds the operand's elements and no others.
bool keepsElements(const Graph &graph, const Op &op) {
  switch (op.kind) {
  case OpKind::Reshape:
  case OpKind::Transpose:
  case OpKind::Broadcast:
  case OpKind::Reverse:
  case OpKind::Slice:
  case OpKind::StopGradient:
    return true;
  case OpKind::Convert:
    return isWidening(graph.type(op.operands[0]).dtype, graph.type(op.result()).dtype);
  default:
    return false;
  }
}

struct IndexOperand {
  size_t position;
  Dim limit;
};

std::optional<IndexOperand> findIndexOperand(const Graph &graph, const Op &op) {
  auto dim = [&](ValueId v, size_t axis) { return graph.type(v).shape[axis]; };
  switch (op.kind) {
  case OpKind::Gather:
  case OpKind::ScatterAdd:
  case OpKind::ScatterSet:
    return IndexOperand{1, dim(op.operands[0], size_t(op.attributes.integer(AttrKey::Axis)))};
  case OpKind::Pick:
    return IndexOperand{1, graph.type(op.operands[0]).shape.back()};
  case OpKind::OneHot:
    return IndexOperand{0, graph.type(op.result()).shape.back()};
  default:
    return std::nullopt;
  }
}

Dim chooseLimit(const std::vector<Dim> &limits) {
  Dim chosen = limits.front();
  for (const Dim &limit : limits)
    if ((chosen - limit).isProvablyNonNegative())
      chosen = limit;
  return chosen;
}

std::optional<Dim> limitOf(const Uses &uses) {
  if (!uses.wholeLimits.empty())
    return chooseLimit(uses.wholeLimits);
  bool isUniform = std::ranges::all_of(
      uses.slicedLimits, [&](const Dim &d) { return d == uses.slicedLimits.front(); });
  if (uses.slicedLimits.empty() || uses.hasOtherUse || !isUniform)
    return std::nullopt;
  return uses.slicedLimits.front();
}

/// One walk over a function, the regions of its scans included, that collects the uses of every
/// integer input.
class UseCollector {
public:
  explicit UseCollector(const Function &function) : uses_(function.graph.values().size()) {
    const Graph &graph = function.graph;
    Origins origins(graph.values().size());
    for (size_t i = 0; i < function.arguments.size(); ++i) {
      ValueId v = graph.arguments()[i];
      if (function.arguments[i].role == ArgumentRole::Input && canBeChecked(graph.type(v).dtype))
        origins[v] = {v, true};
    }
    walk(graph, origins);
    for (ValueId result : graph.results)
      noteOtherUse(origins[result]);
  }

  const Uses &of(ValueId input) const { return uses_[input]; }

private:
  using Origins = std::vector<Origin>;

  void noteOtherUse(const Origin &origin) {
    if (origin.input != kNoValue)
      uses_[origin.input].hasOtherUse = true;
  }

  void walk(const Graph &graph, Origins &origins) {
    for (const Op &op : graph.ops()) {
      if (op.kind == OpKind::Scan)
        walkScan(op, origins);
      else if (keepsElements(graph, op))
        follow(op, origins);
      else
        note(graph, op, origins);
    }
  }

  void follow(const Op &op, Origins &origins) {
    Origin origin = origins[op.operands[0]];
    origin.isWhole = origin.isWhole && op.kind != OpKind::Slice;
    origins[op.result()] = origin;
  }

  void note(const Graph &graph, const Op &op, const Origins &origins) {
    auto index = findIndexOperand(graph, op);
    for (size_t position = 0; position < op.operands.size(); ++position) {
      const Origin &origin = origins[op.operands[position]];
      if (!index || index->position != position)
        noteOtherUse(origin);
      else if (origin.input != kNoValue)
        (origin.isWhole ? uses_[origin.input].wholeLimits : uses_[origin.input].slicedLimits)
            .push_back(index->limit);
    }
  }

  /// All steps together see every slice of an input. What a carry holds changes from step to step.
  void walkScan(const Op &op, Origins &origins) {
    const Graph &region = *op.region;
    const ScanParts parts(op);
    Origins inner(region.values().size());
    for (size_t i = 0; i < op.operands.size(); ++i) {
      if (parts.isCarry(i))
        noteOtherUse(origins[op.operands[i]]);
      else
        inner[region.arguments()[i]] = origins[op.operands[i]];
    }
    walk(region, inner);
    for (size_t i = 0; i < op.results.size(); ++i) {
      if (parts.isCarry(i))
        noteOtherUse(inner[region.results[i]]);
      else
        origins[op.results[i]] = inner[region.results[i]];
    }
  }

  std::vector<Uses> uses_; ///< by input
};

} // namespace

void deriveIndexLimits(Module &module, const PassOptions &, Diagnostics &) {
  for (Function &function : module.functions) {
    UseCollector uses(function);
    for (size_t i = 0; i < function.arguments.size(); ++i)
      if (auto limit = limitOf(uses.of(function.graph.arguments()[i])))
        function.arguments[i].indexLimit = limit;
  }
}

} // namespace apr
