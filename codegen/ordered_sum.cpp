// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The binary tree over partial results needs no list of them: like the digits of a binary counter,
// a stack holds one partial for every 1 in the number of leaves so far, and a new leaf joins as
// many of them as the counter carries. What is left at the end joins from the right.
#include "codegen/ordered_sum.h"

namespace apr::codegen {

using llvm::Value;

namespace {
/// Lane groups up to this many are accumulated in registers.
constexpr int64_t kMaximumUnrolledSlots = 8;
constexpr uint64_t kStackDepth = 64;
} // namespace

OrderedSum::OrderedSum(LaneEvaluator &lanes, DType dtype, uint32_t outputLanes, uint32_t termLanes,
                       Operation operation)
    : lanes_(lanes), nest_(lanes.nest()), dtype_(dtype), outputLanes_(outputLanes),
      termLanes_(outputLanes > 1 ? 1 : termLanes), operation_(operation) {}

llvm::Type *OrderedSum::accumulatorType(uint32_t width) {
  llvm::Type *scalar = lanes_.scalarType(dtype_);
  width = std::max(width, outputLanes_);
  return width > 1 ? llvm::FixedVectorType::get(scalar, width) : scalar;
}

/// What a chain starts with: it keeps every bit of the first term.
Value *OrderedSum::identity(llvm::Type *type) {
  if (operation_ == Operation::Multiply)
    return ofNoTerms(type);
  return isFloat(dtype_) ? llvm::ConstantFP::get(type, -0.0) : llvm::Constant::getNullValue(type);
}

Value *OrderedSum::ofNoTerms(llvm::Type *type) {
  if (operation_ == Operation::Add)
    return llvm::Constant::getNullValue(type);
  return isFloat(dtype_) ? llvm::ConstantFP::get(type, 1.0) : llvm::ConstantInt::get(type, 1);
}

Value *OrderedSum::join(Value *x, Value *y) {
  auto &builder = nest_.at(nest_.innermost());
  return operation_ == Operation::Add ? lanes_.emitAdd(dtype_, x, y, builder)
                                      : lanes_.emitMultiply(dtype_, x, y, builder);
}

Value *OrderedSum::emit(const Order &order, Index count) {
  llvm::Type *type = accumulatorType(1);
  if (count.is(0))
    return ofNoTerms(type);
  Value *sum = emitPart(order, 0, count);
  if (count.isConstant())
    return sum;
  Value *terms = nest_.value(count);
  auto &builder = nest_.at(nest_.innermost());
  Value *isEmpty = builder.CreateICmpEQ(terms, builder.getInt64(0));
  return builder.CreateSelect(isEmpty, ofNoTerms(type), sum);
}

Value *OrderedSum::emitPart(const Order &order, Index begin, Index count) {
  switch (order.kind()) {
  case Order::Kind::Seq:
    return emitChain(begin, count);
  case Order::Kind::Chunks:
  case Order::Kind::Lanes:
    return emitLeaves(order, begin, count);
  case Order::Kind::Tree:
    return emitPart(order.inner(), begin, count);
  case Order::Kind::Ranges:
    break;
  }
  const Index ranges = nest_.maximum(nest_.dim(order.count()), 1);
  const Index length = nest_.divide(count, ranges);
  return emitTree(ranges, [&](Index range) {
    return emitPart(order.inner(), nest_.add(begin, nest_.multiply(range, length)), length);
  });
}

Value *OrderedSum::emitLeaves(const Order &leaf, Index begin, Index count) {
  const int64_t length = leaf.length();
  // Counted without overflow for any length that the text may state.
  const Index leaves =
      nest_.add(nest_.divide(count, length), nest_.minimum(nest_.remainder(count, length), 1));
  return emitTree(leaves, [&](Index number) {
    const Index first = nest_.multiply(number, length);
    const Index terms = nest_.minimum(nest_.subtract(count, first), length);
    const Index from = nest_.add(begin, first);
    return leaf.kind() == Order::Kind::Chunks ? emitChain(from, terms)
                                              : emitLanes(leaf, from, terms);
  });
}

Value *OrderedSum::emitTree(Index count, const std::function<Value *(Index)> &leaf) {
  if (count.is(1))
    return leaf(0);
  llvm::Type *type = accumulatorType(1);
  Value *stack = nest_.frameSlots(type, kStackDepth, "partials");
  auto slot = [&](Value *position) {
    return nest_.at(nest_.innermost()).CreateGEP(type, stack, position);
  };
  auto onesIn = [&](Value *number) {
    return nest_.at(nest_.innermost()).CreateUnaryIntrinsic(llvm::Intrinsic::ctpop, number);
  };
  {
    auto &builder = nest_.at(nest_.innermost());
    builder.CreateStore(identity(type), slot(builder.getInt64(0)));
  }
  auto loop = nest_.open(0, count, 1);
  Value *partial = leaf(loop.counter);
  Value *number = nest_.value(loop.counter);
  Value *size = onesIn(number);
  auto &carryBuilder = nest_.at(loop.level);
  Value *carries = carryBuilder.CreateBinaryIntrinsic(
      llvm::Intrinsic::cttz, carryBuilder.CreateNot(number), carryBuilder.getFalse());
  auto merge = nest_.open(0, Index(carries, loop.level), 1, {partial});
  auto &mergeBuilder = nest_.at(merge.level);
  Value *top = mergeBuilder.CreateSub(mergeBuilder.CreateSub(size, nest_.value(merge.counter)),
                                      mergeBuilder.getInt64(1));
  Value *left = nest_.at(merge.level).CreateLoad(type, slot(top));
  partial = nest_.close({join(left, merge.carried[0])})[0];
  Value *position = nest_.at(loop.level).CreateSub(size, carries);
  nest_.at(loop.level).CreateStore(partial, slot(position));
  nest_.close();

  // Ranges and leaves number at least one here; the count of 0 is handled by emit().
  const uint32_t level = nest_.innermost();
  Value *filled = onesIn(nest_.value(count));
  auto &builder = nest_.at(level);
  const Index used = nest_.maximum(Index(filled, level), 1);
  Value *last = nest_.value(nest_.subtract(used, 1));
  Value *sum = builder.CreateLoad(type, slot(last));
  auto fold = nest_.open(1, used, 1, {sum});
  Value *below = nest_.value(nest_.subtract(nest_.subtract(used, 1), fold.counter));
  left = nest_.at(fold.level).CreateLoad(type, slot(below));
  return nest_.close({join(left, fold.carried[0])})[0];
}

Value *OrderedSum::emitChain(Index begin, Index count) {
  auto loop = nest_.open(0, count, 1, {identity(accumulatorType(1))});
  Value *next = step(loop.carried[0], nest_.add(begin, loop.counter), 1, nullptr, 0);
  return nest_.close({next})[0];
}

Value *OrderedSum::emitLanes(const Order &order, Index begin, Index count) {
  const auto orderWidth = order.width();
  const auto width = static_cast<uint32_t>(std::min<int64_t>(termLanes_, orderWidth));
  const int64_t slots = orderWidth / width;
  Value *memory = emitLaneLoops(width, slots, begin, count);
  llvm::Type *type = accumulatorType(width);
  auto slot = [&](Value *number) {
    return nest_.at(nest_.innermost()).CreateGEP(type, memory, number);
  };
  // Halves of whole slots first; a loop, because the text may state thousands of lanes.
  for (int64_t half = slots / 2; half >= 1; half /= 2) {
    auto loop = nest_.open(0, half, 1);
    Value *left = slot(nest_.value(loop.counter));
    Value *right = slot(nest_.value(nest_.add(loop.counter, half)));
    auto &builder = nest_.at(loop.level);
    Value *sum = join(builder.CreateLoad(type, left), builder.CreateLoad(type, right));
    nest_.at(loop.level).CreateStore(sum, left);
    nest_.close();
  }
  auto &builder = nest_.at(nest_.innermost());
  Value *lanes = builder.CreateLoad(type, memory);
  for (uint32_t half = width / 2; half >= 1; half /= 2) {
    std::vector<int> low(half), high(half);
    for (uint32_t i = 0; i < half; ++i) {
      low[i] = static_cast<int>(i);
      high[i] = static_cast<int>(i + half);
    }
    lanes = join(builder.CreateShuffleVector(lanes, low), builder.CreateShuffleVector(lanes, high));
  }
  return width > 1 ? builder.CreateExtractElement(lanes, uint64_t(0)) : lanes;
}

/// Fills one accumulator per slot, slot s having lanes s * width on; returns their memory.
Value *OrderedSum::emitLaneLoops(uint32_t width, int64_t slots, Index begin, Index count) {
  llvm::Type *type = accumulatorType(width);
  Value *memory = nest_.frameSlots(type, static_cast<uint64_t>(slots), "lanes");
  const int64_t stride = slots * width;
  const Index whole = nest_.multiply(nest_.divide(count, stride), stride);
  const bool isUnrolled = width > 1 && slots <= kMaximumUnrolledSlots;
  if (!isUnrolled) {
    auto clear = nest_.open(0, slots, 1);
    auto &builder = nest_.at(clear.level);
    builder.CreateStore(identity(type),
                        builder.CreateGEP(type, memory, nest_.value(clear.counter)));
    nest_.close();
    addToSlots(memory, width, slots, begin, 0, count);
    return memory;
  }
  std::vector<Value *> accumulators(static_cast<size_t>(slots), identity(type));
  if (!whole.is(0)) {
    auto loop = nest_.open(0, whole, stride, accumulators);
    for (int64_t s = 0; s < slots; ++s) {
      const Index first = nest_.add(nest_.add(begin, loop.counter), s * width);
      loop.carried[static_cast<size_t>(s)] =
          step(loop.carried[static_cast<size_t>(s)], {first, 1}, width, nullptr, 0);
    }
    accumulators = nest_.close(loop.carried);
  }
  auto &builder = nest_.at(nest_.innermost());
  for (int64_t s = 0; s < slots; ++s)
    builder.CreateStore(accumulators[static_cast<size_t>(s)],
                        builder.CreateConstGEP1_64(type, memory, static_cast<uint64_t>(s)));
  if (!(whole == count))
    addToSlots(memory, width, slots, begin, whole, count);
  return memory;
}

/// Adds the terms `from` to `count`, `from` belonging to slot 0, to accumulators in memory.
void OrderedSum::addToSlots(Value *memory, uint32_t width, int64_t slots, Index begin, Index from,
                            Index count) {
  llvm::Type *type = accumulatorType(width);
  auto loop = nest_.open(from, count, width);
  const Index group = nest_.divide(nest_.subtract(loop.counter, from), width);
  Value *number = nest_.value(nest_.remainder(group, slots));
  Value *slot = nest_.at(loop.level).CreateGEP(type, memory, number);
  Value *accumulator = nest_.at(loop.level).CreateLoad(type, slot);
  const Index first = nest_.add(begin, loop.counter);
  Value *next = nullptr;
  if (width == 1) {
    next = step(accumulator, first, 1, nullptr, 0);
  } else {
    const Index rest = nest_.subtract(count, loop.counter);
    auto mask = lanes_.compare(llvm::CmpInst::ICMP_ULT, {0, 1}, rest, width);
    next = step(accumulator, {first, 1}, width, mask.value, loop.level);
    next = nest_.at(loop.level).CreateSelect(mask.value, next, accumulator);
  }
  nest_.at(loop.level).CreateStore(next, slot);
  nest_.close();
}

} // namespace apr::codegen
