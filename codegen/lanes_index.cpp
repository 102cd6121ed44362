// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/lanes.h"

#include <algorithm>

namespace apr::codegen {

Coordinate Coordinate::fromLanes(llvm::Value *lanes, uint32_t level) {
  Coordinate coordinate;
  coordinate.lanes = lanes;
  coordinate.lanesLevel = level;
  return coordinate;
}

namespace {
uint32_t levelOf(const Coordinate &c) { return c.lanes ? c.lanesLevel : c.base.level; }
} // namespace

bool Point::isUniform() const {
  return std::ranges::all_of(coordinates, [](const Coordinate &c) { return c.isUniform(); });
}

uint32_t Point::level() const {
  uint32_t level = std::max(mask ? maskLevel : 0, guard ? guardLevel : 0);
  for (const Coordinate &c : coordinates)
    level = std::max(level, levelOf(c));
  return level;
}

llvm::Value *LaneEvaluator::laneNumbers(uint32_t width) {
  std::vector<uint64_t> numbers(width);
  for (uint32_t i = 0; i < width; ++i)
    numbers[i] = i;
  return llvm::ConstantDataVector::get(nest_.context(), numbers);
}

llvm::Value *LaneEvaluator::lanesOf(const Coordinate &coordinate, uint32_t width) {
  if (coordinate.lanes)
    return coordinate.lanes;
  const uint32_t level = coordinate.base.level;
  llvm::Value *base = nest_.value(coordinate.base);
  LoopNest::Key key{2000, reinterpret_cast<uintptr_t>(base), uint64_t(coordinate.stride), width};
  if (llvm::Value *known = nest_.recall(level, key))
    return known;
  auto &builder = nest_.at(level);
  llvm::Value *steps = builder.CreateMul(
      laneNumbers(width), splat(builder.getInt64(uint64_t(coordinate.stride)), width, builder));
  llvm::Value *lanes = builder.CreateAdd(splat(base, width, builder), steps);
  nest_.remember(level, std::move(key), lanes);
  return lanes;
}

Coordinate LaneEvaluator::add(Coordinate a, Coordinate b, uint32_t width) {
  if (!a.lanes && !b.lanes)
    return {nest_.add(a.base, b.base), a.stride + b.stride};
  const uint32_t level = std::max(levelOf(a), levelOf(b));
  llvm::Value *x = lanesOf(a, width), *y = lanesOf(b, width);
  return Coordinate::fromLanes(nest_.at(level).CreateAdd(x, y), level);
}

Coordinate LaneEvaluator::multiply(Coordinate a, Index factor, uint32_t width) {
  if (a.isUniform())
    return nest_.multiply(a.base, factor);
  if (!a.lanes && factor.isConstant())
    return {nest_.multiply(a.base, factor), a.stride * factor.constant};
  const uint32_t level = std::max(levelOf(a), factor.level);
  llvm::Value *x = lanesOf(a, width), *y = nest_.value(factor);
  auto &builder = nest_.at(level);
  return Coordinate::fromLanes(builder.CreateMul(x, splat(y, width, builder)), level);
}

Coordinate LaneEvaluator::divide(Coordinate a, Index divisor, uint32_t width) {
  if (divisor.is(1))
    return a;
  if (a.isUniform())
    return nest_.divide(a.base, divisor);
  const uint32_t level = std::max(levelOf(a), divisor.level);
  llvm::Value *x = lanesOf(a, width), *y = nest_.value(divisor);
  auto &builder = nest_.at(level);
  return Coordinate::fromLanes(builder.CreateUDiv(x, splat(y, width, builder)), level);
}

Coordinate LaneEvaluator::remainder(Coordinate a, Index divisor, uint32_t width) {
  if (divisor.is(1))
    return {};
  if (a.isUniform())
    return nest_.remainder(a.base, divisor);
  const uint32_t level = std::max(levelOf(a), divisor.level);
  llvm::Value *x = lanesOf(a, width), *y = nest_.value(divisor);
  auto &builder = nest_.at(level);
  return Coordinate::fromLanes(builder.CreateURem(x, splat(y, width, builder)), level);
}

Coordinate LaneEvaluator::linearize(const std::vector<Coordinate> &coordinates, const Shape &shape,
                                    uint32_t width) {
  Coordinate position;
  for (size_t axis = 0; axis < shape.size(); ++axis)
    position = add(multiply(position, nest_.dim(shape[axis]), width), coordinates[axis], width);
  return position;
}

std::vector<Coordinate> LaneEvaluator::delinearize(Coordinate position, const Shape &shape,
                                                   uint32_t width) {
  std::vector<Coordinate> coordinates(shape.size());
  // The outermost axis longer than 1 needs no remainder.
  size_t outermost = 0;
  while (outermost < shape.size() && shape[outermost] == Dim(1))
    ++outermost;
  for (size_t axis = shape.size(); axis-- > outermost;) {
    if (axis == outermost) {
      coordinates[axis] = position;
      break;
    }
    // Sizes of 0 mean that nothing is evaluated, but the division must not fault.
    const Index size = nest_.maximum(nest_.dim(shape[axis]), 1);
    coordinates[axis] = remainder(position, size, width);
    position = divide(position, size, width);
  }
  return coordinates;
}

Coordinate LaneEvaluator::clamp(Coordinate a, Index lower, Index upper, uint32_t width) {
  if (a.isUniform())
    return nest_.clamp(a.base, lower, upper);
  const uint32_t level = std::max({levelOf(a), lower.level, upper.level});
  llvm::Value *x = lanesOf(a, width), *low = nest_.value(lower), *high = nest_.value(upper);
  auto &builder = nest_.at(level);
  low = splat(low, width, builder);
  high = splat(high, width, builder);
  x = builder.CreateSelect(builder.CreateICmpSLT(x, high), x, high);
  x = builder.CreateSelect(builder.CreateICmpSGT(x, low), x, low);
  return Coordinate::fromLanes(x, level);
}

LaneEvaluator::Condition LaneEvaluator::compare(llvm::CmpInst::Predicate predicate,
                                                const Coordinate &a, Index b, uint32_t width) {
  const uint32_t level = std::max(levelOf(a), b.level);
  llvm::Value *y = nest_.value(b);
  if (a.isUniform()) {
    llvm::Value *x = nest_.value(a.base);
    return {nest_.at(level).CreateICmp(predicate, x, y), level};
  }
  llvm::Value *x = lanesOf(a, width);
  auto &builder = nest_.at(level);
  return {builder.CreateICmp(predicate, x, splat(y, width, builder)), level};
}

} // namespace apr::codegen
