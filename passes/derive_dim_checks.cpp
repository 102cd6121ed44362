// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/derive_dim_checks.h"

#include "ir/convolution.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr {
namespace {

class CheckCollector {
public:
  CheckCollector(Function &function, Diagnostics &diagnostics)
      : function_(function), diagnostics_(diagnostics) {}

  void visit(const Graph &graph) {
    for (const Op &op : graph.ops()) {
      location_ = op.location;
      if (op.kind == OpKind::Slice)
        checkSlice(graph, op);
      if (op.kind == OpKind::Pad)
        for (const Dim &low : op.attributes.dims(AttrKey::Low))
          demandNonNegative(low, fmt::format("{} must not be negative", low.str()));
      if (op.kind == OpKind::Window)
        checkWindow(graph, op);
      if (opInfo(op.kind).family == OpFamily::Conv)
        checkConv(graph, op);
      if (op.kind == OpKind::Scan)
        checkLength(op.attributes.dims(AttrKey::Length).front());
      if (op.attributes.has(AttrKey::Order))
        checkOrder(op.attributes.order(), termCount(graph, op));
      if (op.region)
        visit(*op.region);
    }
  }

private:
  void demandNonNegative(const Dim &value, std::string message) {
    if (!value.isProvablyNonNegative())
      demand(DimCheck::Kind::NonNegative, value, std::move(message));
  }

  void demand(DimCheck::Kind kind, const Dim &value, std::string message) {
    // A check that the value is zero implies that it is not negative.
    bool isChecked = std::ranges::any_of(function_.checks, [&](const DimCheck &check) {
      return check.value == value && (check.kind == kind || check.kind == DimCheck::Kind::Zero);
    });
    if (isChecked)
      return;
    if (value.isConstant())
      diagnostics_.report(DiagnosticKind::IrInvalid, location_,
                          fmt::format("@{}: {}", function_.name, message));
    else
      function_.checks.push_back({kind, value, std::move(message), location_});
  }

  void checkLength(const Dim &length) {
    demandNonNegative(
        length, fmt::format("{} must not be negative, as the length of a scan", length.str()));
  }

  void checkSlice(const Graph &graph, const Op &op) {
    const Shape &shape = graph.type(op.operands[0]).shape;
    const auto &start = op.attributes.dims(AttrKey::Start);
    const auto &limit = op.attributes.dims(AttrKey::Limit);
    for (size_t i = 0; i < shape.size(); ++i) {
      demandNonNegative(start[i], fmt::format("{} must not be negative", start[i].str()));
      demandNonNegative(limit[i] - start[i],
                        fmt::format("{} must not exceed {}", start[i].str(), limit[i].str()));
      demandNonNegative(shape[i] - limit[i],
                        fmt::format("{} must not exceed {}", limit[i].str(), shape[i].str()));
    }
  }

  void demandFit(const Dim &axis, const Dim &extent) {
    demandNonNegative(axis - extent, fmt::format("{} must be at least {}, the size of a window",
                                                 axis.str(), extent.str()));
  }

  void checkWindow(const Graph &graph, const Op &op) {
    const auto &axes = op.attributes.integers(AttrKey::Axes);
    for (size_t i = 0; i < axes.size(); ++i)
      demandFit(graph.type(op.operands[0]).shape[static_cast<size_t>(axes[i])],
                windowExtent(op.attributes.integers(AttrKey::Size)[i],
                             op.attributes.integers(AttrKey::Dilation)[i]));
  }

  void checkConv(const Graph &graph, const Op &op) {
    const Shape &x = graph.type(op.operands[0]).shape, &other = graph.type(op.operands[1]).shape;
    const auto &dilation = op.attributes.integers(AttrKey::Dilation);
    for (size_t i = 0; i + 3 < x.size(); ++i) {
      if (op.kind == OpKind::Conv) {
        demandFit(x[i + 1], windowExtent(*other[i].asConstant(), dilation[i]));
        continue;
      }
      demandNonNegative(
          other[i + 1] - Dim(1),
          fmt::format("{} must be at least 1, a number of windows", other[i + 1].str()));
      const int64_t size = op.attributes.integers(AttrKey::Size)[i];
      const Dim stride = op.attributes.integers(AttrKey::Stride)[i];
      demandFit(x[i + 1], (other[i + 1] - Dim(1)) * stride + windowExtent(size, dilation[i]));
    }
  }

  /// How many terms each result of a sum or product has.
  static Dim termCount(const Graph &graph, const Op &op) {
    const Shape &shape = graph.type(op.operands[0]).shape;
    if (op.kind == OpKind::MatMul)
      return shape[shape.size() - (op.attributes.integerOr0(AttrKey::TransposeA) != 0 ? 2 : 1)];
    Dim count = 1;
    if (opInfo(op.kind).family == OpFamily::Conv) {
      const Shape &other = graph.type(op.operands[1]).shape;
      for (size_t i = 0; i + 3 < shape.size(); ++i)
        count *= op.kind == OpKind::Conv ? other[i] : other[i + 1];
      return count * (op.kind == OpKind::Conv ? shape.back() : shape[0]);
    }
    for (int64_t axis : op.attributes.integers(AttrKey::Axes))
      count *= shape[static_cast<size_t>(axis)];
    return count;
  }

  void checkOrder(const Order &order, Dim terms) {
    const Order *inner = &order;
    for (; inner->kind() == Order::Kind::Ranges; inner = &inner->inner()) {
      const Dim &count = inner->count();
      demandNonNegative(count - Dim(1), fmt::format("{} must be at least 1", count.str()));
      auto length = terms.dividedExactlyBy(count);
      if (!length) {
        length = Dim::floorDivide(terms, count);
        demand(DimCheck::Kind::Zero, terms - *length * count,
               fmt::format("{} must be a multiple of {}", terms.str(), count.str()));
      }
      terms = *length;
    }
  }

  Function &function_;
  Diagnostics &diagnostics_;
  Location location_;
};

} // namespace

void deriveDimChecks(Module &module, const PassOptions &, Diagnostics &diagnostics) {
  for (Function &function : module.functions)
    CheckCollector(function, diagnostics).visit(function.graph);
}

} // namespace apr
