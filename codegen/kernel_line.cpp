// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that walk the lines along one axis in order: cumsum and argsort. Lines never meet, so blocks
// are groups of them. Sums along another axis than the last run with neighbouring lines side by
// side.
#include "codegen/kernel_forms.h"

#include <algorithm>

namespace apr::codegen {
namespace {

using llvm::Value;

/// About this many elements make a block for one worker.
constexpr int64_t kElementsPerBlock = 1 << 13;

const Op &findLineOp(const Graph &region) {
  return *std::ranges::find_if(region.ops(), [](const Op &op) {
    const OpFamily family = opInfo(op.kind).family;
    return family == OpFamily::Cumulative || family == OpFamily::Sort;
  });
}

/// The positions along one line, sorted in the memory of the result: a heap whose root comes last,
/// from which the root moves behind the rest until nothing is left. Positions break ties, so the
/// order is total and the result that of a stable sort.
class LineSorter {
public:
  /// `element` evaluates the operand at a position of the line.
  using Element = std::function<Value *(Index position)>;
  LineSorter(LoopNest &nest, const Op &op, DType dtype, Value *line, Index stride, Index count,
             Element element)
      : nest_(nest), op_(op), dtype_(dtype), line_(line), stride_(stride), count_(count),
        element_(std::move(element)) {}

  void emit() {
    auto clear = nest_.open(0, count_, 1);
    storePosition(clear.counter, Index(clear.counter));
    nest_.close();

    const Index half = nest_.divide(nest_.maximum(count_, 0), 2);
    auto build = nest_.open(0, half, 1);
    const Index root = nest_.subtract(nest_.subtract(half, 1), build.counter);
    sift(root, count_, loadPosition(root));
    nest_.close();

    auto take = nest_.open(1, count_, 1);
    const Index last = nest_.subtract(count_, take.counter);
    Value *item = loadPosition(last);
    Value *first = loadPosition(0);
    at().CreateStore(first, slot(last));
    sift(0, last, item);
    nest_.close();
  }

private:
  llvm::IRBuilder<> &at() { return nest_.at(nest_.innermost()); }

  Value *slot(Index position) {
    Value *offset = nest_.value(nest_.multiply(position, stride_));
    return at().CreateGEP(at().getInt32Ty(), line_, offset);
  }
  Value *loadPosition(Index position) {
    Value *address = slot(position);
    return at().CreateLoad(at().getInt32Ty(), address);
  }
  void storePosition(Index place, Index position) {
    Value *number = at().CreateTrunc(nest_.value(position), at().getInt32Ty());
    Value *address = slot(place);
    at().CreateStore(number, address);
  }

  /// Puts the item where a heap of `size` entries without its entry `hole` can hold it.
  void sift(Index hole, Index size, Value *item) {
    Value *number = nest_.value(size);
    Value *leadingZeros =
        at().CreateBinaryIntrinsic(llvm::Intrinsic::ctlz, number, at().getFalse());
    const Index depth(at().CreateSub(at().getInt64(64), leadingZeros), nest_.innermost());
    Value *itemValue = valueAt(item);
    auto loop = nest_.open(0, depth, 1, {nest_.value(hole)});
    const Index parent(loop.carried[0], loop.level);
    const Index last = nest_.subtract(size, 1);
    const Index left = nest_.add(nest_.multiply(parent, 2), 1);
    const Index right = nest_.add(left, 1);
    Value *hasLeft = isBelow(left, size), *hasRight = isBelow(right, size);
    const Index leftChild = nest_.minimum(left, last), rightChild = nest_.minimum(right, last);
    Value *leftItem = loadPosition(leftChild), *rightItem = loadPosition(rightChild);
    Value *leftValue = valueAt(leftItem), *rightValue = valueAt(rightItem);
    Value *isRight =
        at().CreateAnd(hasRight, comesBefore(leftItem, leftValue, rightItem, rightValue));
    Value *child = at().CreateSelect(isRight, nest_.value(rightChild), nest_.value(leftChild));
    Value *childItem = at().CreateSelect(isRight, rightItem, leftItem);
    Value *childValue = at().CreateSelect(isRight, rightValue, leftValue);
    Value *sinks = at().CreateAnd(hasLeft, comesBefore(item, itemValue, childItem, childValue));
    Value *address = slot(parent);
    at().CreateStore(at().CreateSelect(sinks, childItem, item), address);
    Value *next = at().CreateSelect(sinks, child, loop.carried[0]);
    Value *place = nest_.close({next})[0];
    at().CreateStore(item, slot(Index(place, nest_.innermost())));
  }

  Value *isBelow(Index a, Index b) {
    Value *x = nest_.value(a), *y = nest_.value(b);
    return at().CreateICmpSLT(x, y);
  }

  Value *valueAt(Value *item) {
    const Index position(at().CreateZExt(item, at().getInt64Ty()), nest_.innermost());
    return element_(position);
  }

  /// Whether the first of two positions stands before the second.
  Value *comesBefore(Value *first, Value *x, Value *second, Value *y) {
    using Compare = llvm::CmpInst;
    auto &b = at();
    if (op_.attributes.integerOr0(AttrKey::Descending) != 0)
      std::swap(x, y);
    Value *isLess = nullptr, *isGreater = nullptr;
    if (isFloat(dtype_)) {
      isLess = b.CreateFCmpOLT(x, y);
      isGreater = b.CreateFCmpOGT(x, y);
      if (op_.attributes.integerOr0(AttrKey::Descending) != 0)
        std::swap(x, y); // NaN come last in both directions
      Value *isNaN = b.CreateFCmpUNO(x, x), *isOtherNaN = b.CreateFCmpUNO(y, y);
      isLess = b.CreateOr(isLess, b.CreateAnd(b.CreateNot(isNaN), isOtherNaN));
      isGreater = b.CreateOr(isGreater, b.CreateAnd(isNaN, b.CreateNot(isOtherNaN)));
    } else {
      const bool isUnsigned = dtype_ == DType::U8;
      isLess = b.CreateICmp(isUnsigned ? Compare::ICMP_ULT : Compare::ICMP_SLT, x, y);
      isGreater = b.CreateICmp(isUnsigned ? Compare::ICMP_UGT : Compare::ICMP_SGT, x, y);
    }
    Value *isEarlier = b.CreateICmpULT(first, second);
    return b.CreateOr(isLess, b.CreateAnd(b.CreateNot(isGreater), isEarlier));
  }

  LoopNest &nest_;
  const Op &op_;
  DType dtype_;
  Value *line_;
  Index stride_, count_;
  Element element_;
};

class LineKernel {
public:
  explicit LineKernel(const KernelContext &context)
      : context_(context), region_(context.region), op_(findLineOp(region_)),
        shape_(region_.type(op_.result()).shape),
        axis_(static_cast<size_t>(op_.attributes.integer(AttrKey::Axis))) {
    if (region_.results.size() != 1 || region_.results[0] != op_.result())
      throw InternalError("a line kernel yields its only op");
    const bool isSideBySide = op_.kind == OpKind::CumSum && axis_ + 1 < shape_.size();
    for (size_t axis = 0; axis < shape_.size(); ++axis)
      if (axis != axis_ && !(isSideBySide && axis + 1 == shape_.size()))
        outer_.push_back(shape_[axis]);
    if (isSideBySide)
      lanesSize_ = shape_.back();
  }

  EmittedKernel emit() {
    const KernelFunctions functions = declareKernel(context_);
    {
      LoopNest nest(*functions.function, context_.dimNames);
      LaneEvaluator lanes(nest, region_, context_.target);
      result_ = bindBuffers(context_, lanes).results[0];
      const Index size = blockSize(nest);
      const Index begin = nest.multiply(blockArgument(nest), size);
      auto line = nest.open(begin, nest.minimum(nest.add(begin, size), lineCount(nest)), 1);
      emitLines(lanes, lanes.delinearize(line.counter, outer_, 1));
      nest.close();
      finishKernel(nest);
    }
    writeBlockCount(context_, *functions.blocks, [&](LoopNest &nest) {
      const Index size = blockSize(nest);
      return nest.divide(nest.add(lineCount(nest), nest.subtract(size, 1)), size);
    });
    EmittedKernel kernel{functions.function, functions.blocks};
    // A sort compares each element some forty times.
    kernel.work = elementCount(shape_) * Dim(op_.kind == OpKind::ArgSort ? 128 : 1);
    return kernel;
  }

private:
  /// Lines, or groups of lines side by side; none where the shape has no elements.
  Index lineCount(LoopNest &nest) const {
    return nest.multiply(nest.count(outer_), nest.minimum(nest.count(shape_), 1));
  }

  Index blockSize(LoopNest &nest) const {
    const Index perLine = nest.dim(shape_[axis_] * lanesSize_);
    const int64_t chosen = context_.target.blockWork;
    const int64_t elements = chosen > 0 ? chosen : kElementsPerBlock;
    return nest.maximum(nest.divide(elements, nest.maximum(perLine, 1)), 1);
  }

  /// `outer` are the coordinates of the other axes, but for one that lanes run along.
  void emitLines(LaneEvaluator &lanes, const std::vector<Coordinate> &outer) {
    Point line;
    line.coordinates = outer;
    if (op_.kind == OpKind::ArgSort) {
      sortLine(lanes, line);
    } else if (axis_ + 1 == shape_.size()) {
      sumLine(lanes, line);
    } else {
      lanes.forLanes(0, lanes.nest().dim(lanesSize_), [&](Point point) {
        point.coordinates.insert(point.coordinates.begin(), outer.begin(), outer.end());
        sumLine(lanes, point);
      });
    }
  }

  Point at(const Point &line, Index position) const {
    Point point = line;
    point.coordinates.insert(point.coordinates.begin() + static_cast<std::ptrdiff_t>(axis_),
                             position);
    return point;
  }

  void sumLine(LaneEvaluator &lanes, const Point &line) {
    LoopNest &nest = lanes.nest();
    llvm::Type *type = lanes.scalarType(result_.dtype);
    if (line.width > 1)
      type = llvm::FixedVectorType::get(type, line.width);
    Value *start = isFloat(result_.dtype) ? llvm::ConstantFP::get(type, -0.0)
                                          : llvm::Constant::getNullValue(type);
    auto loop = nest.open(0, nest.dim(shape_[axis_]), 1, {start});
    const Point point = at(line, loop.counter);
    Value *term = lanes.evaluate(op_.operands[0], point);
    auto &builder = nest.at(loop.level);
    term = lanes.splat(term, line.width, builder);
    Value *sum = lanes.emitAdd(result_.dtype, loop.carried[0], term, builder);
    lanes.store(result_, point, context_.isVisible[0] ? lanes.canonical(sum, builder) : sum);
    nest.close({sum});
  }

  void sortLine(LaneEvaluator &lanes, const Point &line) {
    LoopNest &nest = lanes.nest();
    Index offset;
    const Point first = at(line, 0);
    for (size_t axis = 0; axis < shape_.size(); ++axis)
      offset = nest.add(offset, nest.multiply(first.coordinates[axis].base, result_.strides[axis]));
    Value *number = nest.value(offset);
    auto &builder = nest.at(nest.innermost());
    Value *memory = builder.CreateGEP(builder.getInt32Ty(), result_.pointer, number);
    LineSorter sorter(nest, op_, region_.type(op_.operands[0]).dtype, memory,
                      result_.strides[axis_], nest.dim(shape_[axis_]), [&](Index position) {
                        return lanes.evaluate(op_.operands[0], at(line, position));
                      });
    sorter.emit();
  }

  const KernelContext &context_;
  const Graph &region_;
  const Op &op_;
  Shape shape_;
  size_t axis_;
  Shape outer_;       ///< axes that lines are counted by
  Dim lanesSize_ = 1; ///< of the last axis, where lines stand side by side along it
  MemoryTensor result_;
};

} // namespace

EmittedKernel emitLineKernel(const KernelContext &context) { return LineKernel(context).emit(); }

} // namespace apr::codegen
