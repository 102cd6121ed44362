// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/lanes.h"
#include "codegen/ordered_sum.h"

#include <algorithm>

namespace apr::codegen {

using llvm::Value;

namespace {

/// Where the reduced axes of an operand point to, term by term.
class TermPoints {
public:
  TermPoints(LaneEvaluator &lanes, const Shape &shape, const std::vector<int64_t> &axes,
             const Point &kept)
      : lanes_(lanes), axes_(axes), kept_(kept) {
    for (int64_t axis : axes)
      sizes_.push_back(shape[static_cast<size_t>(axis)]);
    rank_ = shape.size();
  }

  Index count() const { return lanes_.nest().count(sizes_); }

  Point at(const Coordinate &term, uint32_t width) const {
    Point point = kept_;
    point.width = std::max(width, kept_.width);
    auto reduced = lanes_.delinearize(term, sizes_, point.width);
    point.coordinates.clear();
    size_t next = 0, nextKept = 0;
    for (size_t axis = 0; axis < rank_; ++axis) {
      const bool isReduced = next < axes_.size() && axes_[next] == static_cast<int64_t>(axis);
      point.coordinates.push_back(isReduced ? reduced[next++] : kept_.coordinates[nextKept++]);
    }
    return point;
  }

private:
  LaneEvaluator &lanes_;
  std::vector<int64_t> axes_;
  Point kept_;
  Shape sizes_;
  size_t rank_;
};

bool includesLastAxis(const Op &op, const Type &operand) {
  const auto &axes = op.attributes.integers(AttrKey::Axes);
  return !axes.empty() && axes.back() + 1 == static_cast<int64_t>(operand.rank());
}

llvm::Type *vectorOf(llvm::Type *type, uint32_t width) {
  return width > 1 ? llvm::FixedVectorType::get(type, width) : type;
}

llvm::Constant *extremumIdentity(llvm::Type *type, DType dtype, OpKind kind) {
  const bool isMaximum = kind == OpKind::ReduceMax;
  if (isFloat(dtype))
    return llvm::ConstantFP::getInfinity(type, isMaximum);
  if (dtype == DType::Bool)
    return llvm::ConstantInt::get(type, isMaximum ? 0 : 1);
  const uint32_t bits = 8 * byteSize(dtype);
  if (dtype == DType::U8)
    return llvm::ConstantInt::get(type, isMaximum ? 0 : 255);
  return llvm::ConstantInt::get(type, isMaximum ? llvm::APInt::getSignedMinValue(bits)
                                                : llvm::APInt::getSignedMaxValue(bits));
}

class ReductionEmitter {
public:
  ReductionEmitter(LaneEvaluator &lanes, const Op &op, const Point &point)
      : lanes_(lanes), nest_(lanes.nest()), op_(op), operandType_(lanes.region().type(operand())),
        points_(lanes, operandType_.shape, op.attributes.integers(AttrKey::Axes), point),
        point_(point) {
    const bool alongTerms = point.isUniform() && includesLastAxis(op, operandType_);
    termLanes_ = alongTerms ? lanes.width() : 1;
  }

  Value *emit() {
    switch (op_.kind) {
    case OpKind::Sum:
    case OpKind::Product:
      return emitOrdered();
    case OpKind::ArgMax:
    case OpKind::ArgMin:
      return emitArgExtremum();
    default:
      return emitExtremum();
    }
  }

private:
  ValueId operand() const { return op_.operands[0]; }
  DType dtype() const { return operandType_.dtype; }

  /// The terms from `term` on, spread over the lanes of an accumulator.
  Value *term(const Coordinate &term, uint32_t width, Value *mask, uint32_t maskLevel) {
    Point at = points_.at(term, width);
    if (mask) {
      at.mask = mask;
      at.maskLevel = maskLevel;
    }
    Value *value = lanes_.evaluate(operand(), at);
    return lanes_.splat(value, at.width, nest_.at(nest_.innermost()));
  }

  Value *emitOrdered() {
    const Order order =
        op_.attributes.has(AttrKey::Order)
            ? op_.attributes.order()
            : defaultSumOrder(includesLastAxis(op_, operandType_) ? LastAxis::Reduced
                                                                  : LastAxis::Kept);
    const bool isSum = op_.kind == OpKind::Sum;
    OrderedSum sum(lanes_, dtype(), point_.width, termLanes_,
                   isSum ? OrderedSum::Operation::Add : OrderedSum::Operation::Multiply);
    sum.step = [this, isSum](Value *accumulator, const Coordinate &first, uint32_t width,
                             Value *mask, uint32_t maskLevel) {
      Value *value = term(first, width, mask, maskLevel);
      auto &builder = nest_.at(nest_.innermost());
      return isSum ? lanes_.emitAdd(dtype(), accumulator, value, builder)
                   : lanes_.emitMultiply(dtype(), accumulator, value, builder);
    };
    return sum.emit(order, points_.count());
  }

  Value *combine(Value *x, Value *y) {
    auto &builder = nest_.at(nest_.innermost());
    if (dtype() == DType::Bool)
      return op_.kind == OpKind::ReduceMax ? builder.CreateOr(x, y) : builder.CreateAnd(x, y);
    return op_.kind == OpKind::ReduceMax ? lanes_.emitMaximum(dtype(), x, y, builder)
                                         : lanes_.emitMinimum(dtype(), x, y, builder);
  }

  /// The extremum of any order is the same, zeros and NaN included.
  Value *emitExtremum() {
    const uint32_t width = std::max(termLanes_, point_.width);
    llvm::Type *type = vectorOf(lanes_.scalarType(dtype()), width);
    const Index count = points_.count();
    const Index whole = nest_.multiply(nest_.divide(count, termLanes_), termLanes_);
    auto loop = nest_.open(0, whole, termLanes_, {extremumIdentity(type, dtype(), op_.kind)});
    const Coordinate first(loop.counter, termLanes_ > 1 ? 1 : 0);
    Value *next = combine(loop.carried[0], term(first, termLanes_, nullptr, 0));
    Value *best = nest_.close({next})[0];
    if (termLanes_ == 1)
      return best;
    if (!(whole == count))
      best = emitExtremumTail(best, whole, count);
    for (uint32_t half = width / 2; half >= 1; half /= 2)
      best = combineHalves(best, half);
    return nest_.at(nest_.innermost()).CreateExtractElement(best, uint64_t(0));
  }

  Value *emitExtremumTail(Value *best, Index whole, Index count) {
    auto tail = nest_.open(whole, count, termLanes_, {best});
    const Index rest = nest_.subtract(count, tail.counter);
    auto mask = lanes_.compare(llvm::CmpInst::ICMP_ULT, {0, 1}, rest, termLanes_);
    Value *next =
        combine(tail.carried[0], term({tail.counter, 1}, termLanes_, mask.value, tail.level));
    next = nest_.at(tail.level).CreateSelect(mask.value, next, tail.carried[0]);
    return nest_.close({next})[0];
  }

  Value *combineHalves(Value *vector, uint32_t half) {
    auto &builder = nest_.at(nest_.innermost());
    std::vector<int> low(half), high(half);
    for (uint32_t i = 0; i < half; ++i) {
      low[i] = static_cast<int>(i);
      high[i] = static_cast<int>(i + half);
    }
    return combine(builder.CreateShuffleVector(vector, low),
                   builder.CreateShuffleVector(vector, high));
  }

  /// Whether a value comes before the best so far, both being numbers.
  Value *isBeyond(Value *value, Value *best, llvm::IRBuilder<> &builder) {
    using Compare = llvm::CmpInst;
    const bool isMaximum = op_.kind == OpKind::ArgMax;
    if (isFloat(dtype()))
      return builder.CreateFCmp(isMaximum ? Compare::FCMP_OGT : Compare::FCMP_OLT, value, best);
    if (dtype() == DType::U8)
      return builder.CreateICmp(isMaximum ? Compare::ICMP_UGT : Compare::ICMP_ULT, value, best);
    return builder.CreateICmp(isMaximum ? Compare::ICMP_SGT : Compare::ICMP_SLT, value, best);
  }

  Value *emitArgExtremum() {
    termLanes_ = 1;
    llvm::Type *type = vectorOf(lanes_.scalarType(dtype()), point_.width);
    llvm::Type *indexType = vectorOf(lanes_.scalarType(DType::I32), point_.width);
    Value *none = llvm::ConstantInt::get(indexType, uint64_t(-1), true);
    auto loop = nest_.open(0, points_.count(), 1, {llvm::Constant::getNullValue(type), none});
    Value *best = loop.carried[0], *bestIndex = loop.carried[1];
    Value *value = term(loop.counter, 1, nullptr, 0);
    auto &builder = nest_.at(loop.level);
    Value *isBetter = isBeyond(value, best, builder);
    if (isFloat(dtype())) {
      isBetter = builder.CreateOr(builder.CreateFCmpUNO(value, value), isBetter);
      isBetter = builder.CreateAnd(isBetter, builder.CreateFCmpORD(best, best));
    }
    isBetter = builder.CreateOr(isBetter, builder.CreateICmpEQ(bestIndex, none));
    Value *number = builder.CreateTrunc(nest_.value(loop.counter), builder.getInt32Ty());
    number = lanes_.splat(number, point_.width, builder);
    auto after = nest_.close({builder.CreateSelect(isBetter, value, best),
                              builder.CreateSelect(isBetter, number, bestIndex)});
    return after[1];
  }

  LaneEvaluator &lanes_;
  LoopNest &nest_;
  const Op &op_;
  const Type &operandType_;
  TermPoints points_;
  Point point_;
  uint32_t termLanes_ = 1;
};

} // namespace

Value *LaneEvaluator::emitReduction(const Op &op, const Point &point) {
  return ReductionEmitter(*this, op, point).emit();
}

Value *LaneEvaluator::emitMatMul(const Op &op, const Point &point) {
  const Type &a = region_.type(op.operands[0]);
  const bool transposeA = op.attributes.integerOr0(AttrKey::TransposeA) != 0;
  const bool transposeB = op.attributes.integerOr0(AttrKey::TransposeB) != 0;
  const Index terms = nest_.dim(a.shape[a.rank() - (transposeA ? 2 : 1)]);
  const Order order =
      op.attributes.has(AttrKey::Order) ? op.attributes.order() : defaultContractionOrder();
  const std::vector<Coordinate> batch(point.coordinates.begin(), point.coordinates.end() - 2);
  const Coordinate row = point.coordinates[point.coordinates.size() - 2];
  const Coordinate column = point.coordinates.back();
  auto factor = [&](ValueId operand, const Coordinate &term, const Coordinate &kept,
                    bool isTermFirst, uint32_t width, Value *mask, uint32_t maskLevel) {
    Point at = point;
    at.width = std::max(width, point.width);
    at.coordinates = batch;
    at.coordinates.push_back(isTermFirst ? term : kept);
    at.coordinates.push_back(isTermFirst ? kept : term);
    if (mask) {
      at.mask = mask;
      at.maskLevel = maskLevel;
    }
    return splat(evaluate(operand, at), at.width, nest_.at(nest_.innermost()));
  };
  OrderedSum sum(*this, a.dtype, point.width, point.isUniform() ? width_ : 1);
  sum.step = [&](Value *accumulator, const Coordinate &term, uint32_t width, Value *mask,
                 uint32_t maskLevel) {
    Value *x = factor(op.operands[0], term, row, transposeA, width, mask, maskLevel);
    Value *y = factor(op.operands[1], term, column, !transposeB, width, mask, maskLevel);
    return emitMultiplyAdd(a.dtype, x, y, accumulator, nest_.at(nest_.innermost()));
  };
  return sum.emit(order, terms);
}

} // namespace apr::codegen
