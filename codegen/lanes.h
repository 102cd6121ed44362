// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/kernel.h"
#include "codegen/loop_nest.h"

#include <functional>
#include <optional>

namespace apr::codegen {

/// One coordinate of a point: the same for all lanes (stride 0), base + stride * lane, or any
/// vector of i64.
struct Coordinate {
  Index base;
  int64_t stride = 0;
  llvm::Value *lanes = nullptr; ///< takes the place of base + stride * lane
  uint32_t lanesLevel = 0;

  Coordinate(Index index = 0) : base(index) {}
  Coordinate(Index index, int64_t laneStride) : base(index), stride(laneStride) {}
  static Coordinate fromLanes(llvm::Value *lanes, uint32_t level);
  bool isUniform() const { return !lanes && stride == 0; }
};

/// Where a value is evaluated: at one index, or at `width` indices side by side.
struct Point {
  std::vector<Coordinate> coordinates;
  uint32_t width = 1;
  llvm::Value *mask = nullptr; ///< <width x i1>: lanes in use, the first always; null: all
  uint32_t maskLevel = 0;
  llvm::Value *guard = nullptr; ///< i1: nothing may be read where false; null: true
  uint32_t guardLevel = 0;

  bool isUniform() const;
  /// The outermost scope in which the point is known.
  uint32_t level() const;
};

/// A tensor in memory, row-major.
struct MemoryTensor {
  llvm::Value *pointer = nullptr; ///< known in scope 0
  DType dtype = DType::F32;
  std::vector<Index> strides; ///< in elements, per axis
};

/// Emits values of a kernel's region at points, on demand: a value is computed from its operands at
/// the points that its own one maps to, so that movement ops cost index arithmetic only.
/// Reductions and contractions become loops in the scope that knows their result's point.
///
/// A value at a uniform point is a scalar; elsewhere a vector of `width` elements, or a scalar
/// where all lanes are the same. bool is i1, u8 is i8.
class LaneEvaluator {
public:
  LaneEvaluator(LoopNest &nest, const Graph &region, const KernelTarget &target);
  /// With another number of lanes than the usual.
  LaneEvaluator(LoopNest &nest, const Graph &region, const KernelTarget &target, uint32_t width);

  LoopNest &nest() { return nest_; }
  const Graph &region() const { return region_; }
  const KernelTarget &target() const { return target_; }
  /// Lanes that one register holds of the region's usual element.
  uint32_t width() const { return width_; }

  /// Says where a region argument lies.
  void bindMemory(ValueId value, llvm::Value *pointer);
  /// Where a region argument lies; null for other values.
  const MemoryTensor *memoryOf(ValueId value) const;
  /// Replaces the evaluation of a value.
  using Source = std::function<llvm::Value *(const Point &)>;
  void bindSource(ValueId value, Source source);

  llvm::Value *evaluate(ValueId value, Point point);
  MemoryTensor denseTensor(llvm::Value *pointer, const Type &type);
  llvm::Value *load(const MemoryTensor &tensor, const Point &point);
  /// Stores at the end of the innermost scope. The lanes must be adjacent in memory.
  void store(const MemoryTensor &tensor, const Point &point, llvm::Value *value);
  /// Replaces NaNs by the canonical one.
  llvm::Value *canonical(llvm::Value *value, llvm::IRBuilder<> &builder);

  /// for (i = lower; i < upper; ++i) body(i) with lanes side by side; the rest with a mask, for
  /// which no code is needed where upper - lower is known to be a multiple of the lanes.
  enum class Rest : uint8_t { Possible, None };
  void forLanes(Index lower, Index upper, const std::function<void(const Point &)> &body,
                Rest rest = Rest::Possible);

  // Types and small pieces that the emitters share.
  llvm::Type *scalarType(DType dtype);
  llvm::Type *memoryType(DType dtype);
  llvm::Value *splat(llvm::Value *value, uint32_t width, llvm::IRBuilder<> &builder);
  llvm::Value *laneNumbers(uint32_t width);
  llvm::Value *lanesOf(const Coordinate &coordinate, uint32_t width);
  llvm::Value *number(DType dtype, double value);

  // Elementwise pieces, for reductions too; operands of one width.
  llvm::Value *emitMaximum(DType dtype, llvm::Value *x, llvm::Value *y, llvm::IRBuilder<> &builder);
  llvm::Value *emitMinimum(DType dtype, llvm::Value *x, llvm::Value *y, llvm::IRBuilder<> &builder);
  llvm::Value *emitAdd(DType dtype, llvm::Value *x, llvm::Value *y, llvm::IRBuilder<> &builder);
  llvm::Value *emitMultiply(DType dtype, llvm::Value *x, llvm::Value *y,
                            llvm::IRBuilder<> &builder);
  /// acc = x * y + acc as a contraction's chain does it.
  llvm::Value *emitMultiplyAdd(DType dtype, llvm::Value *x, llvm::Value *y, llvm::Value *acc,
                               llvm::IRBuilder<> &builder);

private:
  // lanes.cpp
  llvm::Value *emit(const Op &op, const Point &point);
  llvm::Value *emitPointwise(const Op &op, const Point &point);
  LoopNest::Key keyOf(ValueId value, const Point &point) const;
  llvm::Value *gatherLanes(const MemoryTensor &tensor, llvm::Value *base, llvm::Value *offsets,
                           const Point &point, llvm::IRBuilder<> &builder);
  llvm::Value *guardPointer(llvm::Value *pointer, const Point &point, llvm::IRBuilder<> &builder);

  // lanes_arithmetic.cpp, lanes_convert.cpp
  llvm::Value *emitArithmetic(const Op &op, std::vector<llvm::Value *> operands,
                              llvm::IRBuilder<> &builder);
  llvm::Value *emitConvert(DType from, DType to, llvm::Value *x, llvm::IRBuilder<> &builder);
  llvm::Value *emitToBfloat(DType from, llvm::Value *x, llvm::IRBuilder<> &builder);
  llvm::Value *emitFromBfloat(DType to, llvm::Value *x, llvm::IRBuilder<> &builder);
  llvm::Value *emitBitcast(DType from, DType to, llvm::Value *x, llvm::IRBuilder<> &builder);

  // lanes_movement.cpp
  llvm::Value *emitReshape(const Op &op, const Point &point);
  llvm::Value *emitTranspose(const Op &op, const Point &point);
  llvm::Value *emitBroadcast(const Op &op, const Point &point);
  llvm::Value *emitSlice(const Op &op, const Point &point);
  llvm::Value *emitReverse(const Op &op, const Point &point);
  llvm::Value *emitPad(const Op &op, const Point &point);
  llvm::Value *emitWindow(const Op &op, const Point &point);
  llvm::Value *emitConcat(const Op &op, const Point &point);
  llvm::Value *emitGather(const Op &op, const Point &point);
  llvm::Value *emitPick(const Op &op, const Point &point);
  llvm::Value *emitOneHot(const Op &op, const Point &point);
  llvm::Value *emitIota(const Op &op, const Point &point);
  llvm::Value *emitConstant(const Op &op, const Point &point);
  Coordinate clampedIndex(ValueId indices, const Point &at, Index size);
  void guardNonEmpty(Point &point, Index size);
  void guardNonEmpty(Point &point, const Shape &shape);
  /// What indexing an axis of this size gives: the guard makes loads harmless, but an operand that
  /// is computed in place need not be 0 on zeros.
  llvm::Value *zeroIfEmpty(llvm::Value *element, Index size, const Point &point);

  // lanes_random.cpp
  llvm::Value *emitRandom(const Op &op, const Point &point);

  // lanes_reduce.cpp
  llvm::Value *emitReduction(const Op &op, const Point &point);
  llvm::Value *emitMatMul(const Op &op, const Point &point);
  // lanes_conv.cpp
  llvm::Value *emitConv(const Op &op, const Point &point);

public:
  // Coordinate arithmetic (lanes_index.cpp).
  Coordinate add(Coordinate a, Coordinate b, uint32_t width);
  Coordinate multiply(Coordinate a, Index factor, uint32_t width);
  Coordinate divide(Coordinate a, Index divisor, uint32_t width);
  Coordinate remainder(Coordinate a, Index divisor, uint32_t width);
  /// The row-major number of an element; its inverse.
  Coordinate linearize(const std::vector<Coordinate> &coordinates, const Shape &shape,
                       uint32_t width);
  std::vector<Coordinate> delinearize(Coordinate position, const Shape &shape, uint32_t width);
  Coordinate clamp(Coordinate a, Index lower, Index upper, uint32_t width);
  /// An i1, or lanes of such, by signed comparison, and the scope that knows it.
  struct Condition {
    llvm::Value *value;
    uint32_t level;
  };
  Condition compare(llvm::CmpInst::Predicate predicate, const Coordinate &a, Index b,
                    uint32_t width);

private:
  LoopNest &nest_;
  const Graph &region_;
  const KernelTarget &target_;
  uint32_t width_;
  std::map<ValueId, MemoryTensor> memory_;
  std::map<ValueId, Source> sources_;
  uint64_t emitted_ = 0;
};

} // namespace apr::codegen
