// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels that loop over the elements of their results and leave the rest to the lane evaluator,
// reductions included.
#include "codegen/kernel_forms.h"

#include <algorithm>

namespace apr::codegen {
namespace {

/// About this many elementary operations make a block for one worker.
constexpr int64_t kWorkPerBlock = 1 << 16;
/// Columns of a block come in multiples of this: whole vectors, and no cache line of two workers.
constexpr int64_t kBlockMultiple = 64;

/// How a kernel's results are walked: row by row, and inside a row column by column.
struct Domain {
  Shape rows;
  Shape columns; ///< lanes run along the last
  int64_t costPerElement = 1;
};

bool isReduction(const Op &op) {
  const OpFamily family = opInfo(op.kind).family;
  return family == OpFamily::Reduce || family == OpFamily::ArgReduce;
}

/// Rough operations per element of a row, from the elementary ops of the region.
int64_t costOf(const Graph &region) {
  int64_t cost = 1;
  for (const Op &op : region.ops()) {
    if (region.type(op.result()).rank() == 0 && !isReduction(op))
      continue;
    switch (opInfo(op.kind).family) {
    case OpFamily::Unary:
      cost += 8;
      break;
    case OpFamily::Random:
      cost += 60;
      break;
    default:
      cost += 1;
    }
  }
  return cost;
}

/// Terms per element of the results that reductions and contractions add up.
Dim termsPerElement(const Graph &region) {
  Dim terms = 1;
  for (const Op &op : region.ops()) {
    if (isReduction(op)) {
      const Shape &shape = region.type(op.operands[0]).shape;
      Dim product = 1;
      for (int64_t axis : op.attributes.integers(AttrKey::Axes))
        product *= shape[static_cast<size_t>(axis)];
      terms += product;
    } else if (op.kind == OpKind::Conv) {
      const Shape &shape = region.type(op.operands[1]).shape;
      terms += elementCount(Shape(shape.begin(), shape.end() - 3)) * shape[shape.size() - 2];
    } else if (op.kind == OpKind::ConvWeight) {
      const Shape &shape = region.type(op.operands[1]).shape;
      terms += elementCount(Shape(shape.begin(), shape.end() - 2));
    } else if (op.kind == OpKind::MatMul) {
      const Shape &shape = region.type(op.operands[0]).shape;
      terms += shape[shape.size() - (op.attributes.integerOr0(AttrKey::TransposeA) ? 2 : 1)];
    }
  }
  return terms;
}

Domain chooseDomain(const Graph &region) {
  Domain domain;
  domain.costPerElement = costOf(region);
  // The largest result spans the domain; shorter ones have its first axes.
  Shape full, least = region.type(region.results.front()).shape;
  for (ValueId result : region.results) {
    const Shape &shape = region.type(result).shape;
    if (shape.size() >= full.size())
      full = shape;
    if (shape.size() < least.size())
      least = shape;
  }
  bool reducesLastAxis = false;
  size_t kept = full.size();
  for (const Op &op : region.ops()) {
    if (!isReduction(op))
      continue;
    const Shape &shape = region.type(op.operands[0]).shape;
    const auto &axes = op.attributes.integers(AttrKey::Axes);
    if (!axes.empty() && axes.back() + 1 == static_cast<int64_t>(shape.size())) {
      reducesLastAxis = true;
      kept = std::min(kept, shape.size() - axes.size());
    }
  }
  size_t rowRank = full.empty() ? 0 : full.size() - 1;
  // Lanes along axes of size 1 would be one lane.
  while (rowRank > 1 && full[rowRank] == Dim(1))
    --rowRank;
  if (reducesLastAxis)
    rowRank = kept;
  if (least.size() < full.size())
    rowRank = least.size();
  const auto split = full.begin() + static_cast<std::ptrdiff_t>(rowRank);
  domain.rows.assign(full.begin(), split);
  domain.columns.assign(split, full.end());
  return domain;
}

class DomainKernel {
public:
  explicit DomainKernel(const KernelContext &context)
      : context_(context), region_(context.region), domain_(chooseDomain(region_)),
        splitsColumns_(domain_.rows.empty() && domain_.columns.size() == 1 && !hasRowValues()) {}

  EmittedKernel emit() {
    const KernelFunctions functions = declareKernel(context_);
    {
      LoopNest nest(*functions.function, context_.dimNames);
      LaneEvaluator lanes(nest, region_, context_.target);
      buffers_ = bindBuffers(context_, lanes);
      emitLoops(nest, lanes);
      finishKernel(nest);
    }
    writeBlockCount(context_, *functions.blocks, [&](LoopNest &nest) {
      const Index size = blockSize(nest);
      const Index total = splitsColumns_ ? nest.dim(domain_.columns[0]) : nest.count(domain_.rows);
      return nest.divide(nest.add(total, nest.subtract(size, 1)), size);
    });
    EmittedKernel kernel{functions.function, functions.blocks};
    kernel.work = elementCount(domain_.rows) * elementCount(domain_.columns) *
                  (Dim(domain_.costPerElement) + termsPerElement(region_));
    return kernel;
  }

private:
  /// Whether something is computed once per row and so must not be repeated by parts of a row.
  bool hasRowValues() const {
    return std::ranges::any_of(region_.ops(),
                               [](const Op &op) {
                                 return isReduction(op) &&
                                        op.attributes.integers(AttrKey::Axes).size() > 0;
                               }) &&
           reducesColumns();
  }

  bool reducesColumns() const {
    return std::ranges::any_of(region_.ops(), [&](const Op &op) {
      if (!isReduction(op))
        return false;
      const auto &axes = op.attributes.integers(AttrKey::Axes);
      return !axes.empty() &&
             axes.back() + 1 == static_cast<int64_t>(region_.type(op.operands[0]).rank());
    });
  }

  /// Rows, or columns where there is one row, that make a block.
  Index blockSize(LoopNest &nest) const {
    Dim perItem = Dim(domain_.costPerElement) * termsPerElement(region_);
    if (!splitsColumns_)
      perItem *= elementCount(domain_.columns);
    const int64_t chosen = context_.target.blockWork;
    const Index size =
        nest.divide(chosen > 0 ? chosen : kWorkPerBlock, nest.maximum(nest.dim(perItem), 1));
    // Whole vectors; a multiple of the cache line keeps workers apart.
    const int64_t least = splitsColumns_ ? kBlockMultiple : 1;
    return nest.multiply(nest.maximum(nest.divide(size, least), 1), least);
  }

  void emitLoops(LoopNest &nest, LaneEvaluator &lanes) {
    const Index size = blockSize(nest);
    const Index begin = nest.multiply(blockArgument(nest), size);
    if (splitsColumns_) {
      const Index end = nest.minimum(nest.add(begin, size), nest.dim(domain_.columns[0]));
      // Blocks are whole vectors, so the last one has a rest only where the whole has.
      auto columns = domain_.columns[0].asConstant();
      const bool isWhole = columns && *columns % kBlockMultiple == 0;
      lanes.forLanes(
          begin, end, [&](const Point &point) { storeElements(lanes, point); },
          isWhole ? LaneEvaluator::Rest::None : LaneEvaluator::Rest::Possible);
      return;
    }
    if (domain_.rows.empty()) {
      emitRow(lanes, {});
      return;
    }
    const Index end = nest.minimum(nest.add(begin, size), nest.count(domain_.rows));
    auto row = nest.open(begin, end, 1);
    emitRow(lanes, lanes.delinearize(row.counter, domain_.rows, 1));
    nest.close();
  }

  bool isRowResult(size_t result) const {
    return region_.type(region_.results[result]).rank() == domain_.rows.size();
  }

  void emitRow(LaneEvaluator &lanes, const std::vector<Coordinate> &row) {
    Point rowPoint;
    rowPoint.coordinates = row;
    // Operands may be overwritten in place: all is computed before the first store of a row value.
    std::vector<llvm::Value *> rowValues(region_.results.size());
    bool hasFullResults = false;
    for (size_t i = 0; i < rowValues.size(); ++i)
      if (isRowResult(i))
        rowValues[i] = lanes.evaluate(region_.results[i], rowPoint);
      else
        hasFullResults = true;
    if (hasFullResults)
      emitColumns(lanes, rowPoint, 0);
    for (size_t i = 0; i < rowValues.size(); ++i)
      if (rowValues[i])
        storeResult(lanes, i, rowPoint, rowValues[i]);
  }

  void emitColumns(LaneEvaluator &lanes, const Point &outer, size_t axis) {
    LoopNest &nest = lanes.nest();
    const Index size = nest.dim(domain_.columns[axis]);
    const size_t rest = domain_.columns.size() - axis - 1;
    const bool isLast =
        std::all_of(domain_.columns.end() - static_cast<std::ptrdiff_t>(rest),
                    domain_.columns.end(), [](const Dim &d) { return d == Dim(1); });
    if (!isLast) {
      auto loop = nest.open(0, size, 1);
      Point inner = outer;
      inner.coordinates.push_back(loop.counter);
      emitColumns(lanes, inner, axis + 1);
      nest.close();
      return;
    }
    lanes.forLanes(0, size, [&](Point point) {
      point.coordinates.insert(point.coordinates.begin(), outer.coordinates.begin(),
                               outer.coordinates.end());
      point.coordinates.resize(point.coordinates.size() + rest);
      storeElements(lanes, point);
    });
  }

  void storeElements(LaneEvaluator &lanes, const Point &point) {
    std::vector<llvm::Value *> values(region_.results.size());
    const bool hasColumns = !domain_.columns.empty();
    for (size_t i = 0; i < values.size(); ++i)
      if (!hasColumns || !isRowResult(i))
        values[i] = lanes.evaluate(region_.results[i], point);
    for (size_t i = 0; i < values.size(); ++i)
      if (values[i])
        storeResult(lanes, i, point, values[i]);
  }

  void storeResult(LaneEvaluator &lanes, size_t result, const Point &point, llvm::Value *value) {
    LoopNest &nest = lanes.nest();
    if (context_.isVisible[result])
      value = lanes.canonical(value, nest.at(nest.innermost()));
    lanes.store(buffers_.results[result], point, value);
  }

  const KernelContext &context_;
  const Graph &region_;
  Domain domain_;
  bool splitsColumns_;
  KernelBuffers buffers_;
};

} // namespace

EmittedKernel emitDomainKernel(const KernelContext &context) {
  return DomainKernel(context).emit();
}

} // namespace apr::codegen
