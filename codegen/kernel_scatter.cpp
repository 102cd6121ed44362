// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// result = operand, then result[.., indices[i], ..] takes updates[.., i, ..] in ascending i:
// scatter_add adds them, scatter_set writes them. Elements of different outer coordinates (before
// the axis) never meet, so each is a block.
#include "codegen/kernel_forms.h"

#include <algorithm>

namespace apr::codegen {
namespace {

Shape slice(const Shape &shape, size_t begin, size_t end) {
  return {shape.begin() + static_cast<std::ptrdiff_t>(begin),
          shape.begin() + static_cast<std::ptrdiff_t>(end)};
}

const Op &findScatter(const Graph &region) {
  return *std::ranges::find_if(
      region.ops(), [](const Op &op) { return opInfo(op.kind).family == OpFamily::Scatter; });
}

class ScatterKernel {
public:
  explicit ScatterKernel(const KernelContext &context)
      : context_(context), region_(context.region), op_(findScatter(region_)),
        shape_(region_.type(op_.result()).shape), indexShape_(region_.type(op_.operands[1]).shape),
        axis_(static_cast<size_t>(op_.attributes.integer(AttrKey::Axis))) {
    if (region_.results.size() != 1 || region_.results[0] != op_.result())
      throw InternalError("a scatter kernel yields its scatter only");
  }

  EmittedKernel emit() {
    const KernelFunctions functions = declareKernel(context_);
    {
      LoopNest nest(*functions.function, context_.dimNames);
      LaneEvaluator lanes(nest, region_, context_.target);
      const MemoryTensor result = bindBuffers(context_, lanes).results[0];
      const auto outer = lanes.delinearize(blockArgument(nest), slice(shape_, 0, axis_), 1);
      copyOperand(lanes, result, outer);
      writeUpdates(lanes, result, outer);
      if (context_.isVisible[0])
        makeCanonical(lanes, result, outer);
      finishKernel(nest);
    }
    writeBlockCount(context_, *functions.blocks,
                    [&](LoopNest &nest) { return nest.count(slice(shape_, 0, axis_)); });
    EmittedKernel kernel{functions.function, functions.blocks};
    kernel.work = elementCount(shape_) + elementCount(region_.type(op_.operands[2]).shape);
    return kernel;
  }

private:
  /// Runs over coordinates of `shape` appended to `outer`, lanes along the last axis.
  void forEach(LaneEvaluator &lanes, const std::vector<Coordinate> &outer, const Shape &shape,
               const std::function<void(const Point &)> &body) {
    if (shape.empty()) {
      body(Point{outer});
      return;
    }
    LoopNest &nest = lanes.nest();
    const Index size = nest.dim(shape.front());
    if (shape.size() > 1) {
      auto loop = nest.open(0, size, 1);
      std::vector<Coordinate> inner = outer;
      inner.push_back(loop.counter);
      forEach(lanes, inner, slice(shape, 1, shape.size()), body);
      nest.close();
      return;
    }
    lanes.forLanes(0, size, [&](Point point) {
      point.coordinates.insert(point.coordinates.begin(), outer.begin(), outer.end());
      body(point);
    });
  }

  void copyOperand(LaneEvaluator &lanes, const MemoryTensor &result,
                   const std::vector<Coordinate> &outer) {
    forEach(lanes, outer, slice(shape_, axis_, shape_.size()), [&](const Point &point) {
      lanes.store(result, point, lanes.evaluate(op_.operands[0], point));
    });
  }

  void writeUpdates(LaneEvaluator &lanes, const MemoryTensor &result,
                    const std::vector<Coordinate> &outer) {
    LoopNest &nest = lanes.nest();
    const Index size = nest.dim(shape_[axis_]);
    // An empty axis takes no updates.
    const Index updates = nest.multiply(nest.count(indexShape_), nest.minimum(size, 1));
    auto loop = nest.open(0, updates, 1);
    const auto position = lanes.delinearize(loop.counter, indexShape_, 1);
    Point at;
    at.coordinates = position;
    llvm::Value *number = lanes.evaluate(op_.operands[1], at);
    auto &builder = nest.at(loop.level);
    number = builder.CreateSExt(number, builder.getInt64Ty());
    const Index index = nest.clamp(Index(number, loop.level), 0, nest.subtract(size, 1));
    std::vector<Coordinate> prefix = outer;
    prefix.insert(prefix.end(), position.begin(), position.end());
    forEach(lanes, prefix, slice(shape_, axis_ + 1, shape_.size()), [&](const Point &point) {
      llvm::Value *update = lanes.evaluate(op_.operands[2], point);
      Point target = point;
      target.coordinates = outer;
      target.coordinates.push_back(index);
      target.coordinates.insert(target.coordinates.end(),
                                point.coordinates.begin() +
                                    static_cast<std::ptrdiff_t>(prefix.size()),
                                point.coordinates.end());
      if (op_.kind == OpKind::ScatterSet) {
        lanes.store(result, target, update);
        return;
      }
      auto &inner = nest.at(nest.innermost());
      llvm::Value *old = lanes.load(result, target);
      llvm::Value *sum = lanes.emitAdd(result.dtype, old, lanes.splat(update, point.width, inner),
                                       nest.at(nest.innermost()));
      lanes.store(result, target, sum);
    });
    nest.close();
  }

  void makeCanonical(LaneEvaluator &lanes, const MemoryTensor &result,
                     const std::vector<Coordinate> &outer) {
    if (!isFloat(result.dtype) && result.dtype != DType::BF16)
      return;
    forEach(lanes, outer, slice(shape_, axis_, shape_.size()), [&](const Point &point) {
      llvm::Value *value = lanes.load(result, point);
      lanes.store(result, point, lanes.canonical(value, lanes.nest().at(lanes.nest().innermost())));
    });
  }

  const KernelContext &context_;
  const Graph &region_;
  const Op &op_;
  Shape shape_;
  Shape indexShape_;
  size_t axis_;
};

} // namespace

EmittedKernel emitScatterKernel(const KernelContext &context) {
  return ScatterKernel(context).emit();
}

} // namespace apr::codegen
