// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/lanes.h"

namespace apr::codegen {

/// Emits a sum, or a product, of terms in any order that the IR may state. Accumulators hold
/// `outputLanes` independent sums side by side, or, where that is 1 and the order has lanes, up to
/// `termLanes` neighbouring terms of one sum.
class OrderedSum {
public:
  enum class Operation : uint8_t { Add, Multiply };
  OrderedSum(LaneEvaluator &lanes, DType dtype, uint32_t outputLanes, uint32_t termLanes,
             Operation operation = Operation::Add);

  /// The accumulator with the next `width` terms from `first` on added (lane by lane where width is
  /// above 1). Lanes outside the mask may hold anything.
  using Step = std::function<llvm::Value *(llvm::Value *accumulator, const Coordinate &first,
                                           uint32_t width, llvm::Value *mask, uint32_t maskLevel)>;
  Step step;

  /// The sum of terms 0 to count - 1, at the end of the innermost scope; +0 for none (a product 1).
  llvm::Value *emit(const Order &order, Index count);

private:
  llvm::Value *emitPart(const Order &order, Index begin, Index count);
  llvm::Value *emitLeaves(const Order &leaf, Index begin, Index count);
  llvm::Value *emitChain(Index begin, Index count);
  llvm::Value *emitLanes(const Order &order, Index begin, Index count);
  llvm::Value *emitLaneLoops(uint32_t width, int64_t slots, Index begin, Index count);
  void addToSlots(llvm::Value *memory, uint32_t width, int64_t slots, Index begin, Index from,
                  Index count);
  llvm::Value *emitTree(Index count, const std::function<llvm::Value *(Index)> &leaf);
  llvm::Value *join(llvm::Value *x, llvm::Value *y);
  llvm::Value *identity(llvm::Type *type);
  llvm::Value *ofNoTerms(llvm::Type *type);
  llvm::Type *accumulatorType(uint32_t width);

  LaneEvaluator &lanes_;
  LoopNest &nest_;
  DType dtype_;
  uint32_t outputLanes_;
  uint32_t termLanes_;
  Operation operation_;
};

} // namespace apr::codegen
