// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Movement and indexing ops are maps of indices: each evaluates its operand where its own element
// comes from.
#include "codegen/lanes.h"

#include <algorithm>

namespace apr::codegen {

using llvm::Value;

namespace {

Point withCoordinates(const Point &point, std::vector<Coordinate> coordinates) {
  Point result = point;
  result.coordinates = std::move(coordinates);
  return result;
}

/// Ranges of axes of two shapes that hold the same elements.
struct AxisGroup {
  size_t fromBegin, fromEnd, toBegin, toEnd;
};

/// The finest such division from the left that can be proven.
std::vector<AxisGroup> matchAxes(const Shape &from, const Shape &to) {
  std::vector<AxisGroup> groups;
  size_t i = 0, j = 0;
  while (i < from.size() || j < to.size()) {
    // A group ends where the products agree and what is left agrees too.
    AxisGroup group{i, from.size(), j, to.size()};
    bool found = false;
    Dim fromCount = 1;
    for (size_t a = i; a <= from.size() && !found; ++a) {
      if (a > i)
        fromCount *= from[a - 1];
      Dim toCount = 1;
      for (size_t b = j; b <= to.size() && !found; ++b) {
        if (b > j)
          toCount *= to[b - 1];
        if ((a > i || b > j) && fromCount == toCount) {
          group = {i, a, j, b};
          found = true;
        }
      }
    }
    groups.push_back(group);
    i = group.fromEnd;
    j = group.toEnd;
  }
  return groups;
}

Shape part(const Shape &shape, size_t begin, size_t end) {
  return {shape.begin() + static_cast<std::ptrdiff_t>(begin),
          shape.begin() + static_cast<std::ptrdiff_t>(end)};
}

} // namespace

void LaneEvaluator::guardNonEmpty(Point &point, Index size) {
  if (size.isConstant() && size.constant > 0)
    return;
  const uint32_t level = std::max(size.level, point.guard ? point.guardLevel : 0);
  Value *count = nest_.value(size);
  LoopNest::Key key{4000, reinterpret_cast<uintptr_t>(count),
                    reinterpret_cast<uintptr_t>(point.guard)};
  Value *guard = nest_.recall(level, key);
  if (!guard) {
    auto &builder = nest_.at(level);
    guard = builder.CreateICmpSGT(count, builder.getInt64(0));
    if (point.guard)
      guard = builder.CreateAnd(point.guard, guard);
    nest_.remember(level, std::move(key), guard);
  }
  point.guard = guard;
  point.guardLevel = level;
}

void LaneEvaluator::guardNonEmpty(Point &point, const Shape &shape) {
  guardNonEmpty(point, nest_.count(shape));
}

Value *LaneEvaluator::zeroIfEmpty(Value *element, Index size, const Point &point) {
  if (size.isConstant() && size.constant > 0)
    return element;
  auto &builder = nest_.at(point.level());
  Value *isFilled = builder.CreateICmpSGT(nest_.value(size), builder.getInt64(0));
  return builder.CreateSelect(isFilled, element, llvm::Constant::getNullValue(element->getType()));
}

Value *LaneEvaluator::emitReshape(const Op &op, const Point &point) {
  const Shape &from = region_.type(op.result()).shape;
  const Shape &to = region_.type(op.operands[0]).shape;
  std::vector<Coordinate> coordinates(to.size());
  for (const AxisGroup &group : matchAxes(from, to)) {
    const Shape fromPart = part(from, group.fromBegin, group.fromEnd);
    const Shape toPart = part(to, group.toBegin, group.toEnd);
    std::vector<Coordinate> source(
        point.coordinates.begin() + static_cast<std::ptrdiff_t>(group.fromBegin),
        point.coordinates.begin() + static_cast<std::ptrdiff_t>(group.fromEnd));
    Coordinate position = linearize(source, fromPart, point.width);
    auto target = delinearize(position, toPart, point.width);
    std::ranges::copy(target, coordinates.begin() + static_cast<std::ptrdiff_t>(group.toBegin));
  }
  return evaluate(op.operands[0], withCoordinates(point, std::move(coordinates)));
}

Value *LaneEvaluator::emitTranspose(const Op &op, const Point &point) {
  const auto &perm = op.attributes.integers(AttrKey::Perm);
  std::vector<Coordinate> coordinates(perm.size());
  for (size_t axis = 0; axis < perm.size(); ++axis)
    coordinates[static_cast<size_t>(perm[axis])] = point.coordinates[axis];
  return evaluate(op.operands[0], withCoordinates(point, std::move(coordinates)));
}

Value *LaneEvaluator::emitBroadcast(const Op &op, const Point &point) {
  std::vector<Coordinate> coordinates;
  for (int64_t axis : op.attributes.integers(AttrKey::Axes))
    coordinates.push_back(point.coordinates[static_cast<size_t>(axis)]);
  return evaluate(op.operands[0], withCoordinates(point, std::move(coordinates)));
}

Value *LaneEvaluator::emitSlice(const Op &op, const Point &point) {
  const auto &start = op.attributes.dims(AttrKey::Start);
  const auto &stride = op.attributes.integers(AttrKey::Stride);
  std::vector<Coordinate> coordinates;
  for (size_t axis = 0; axis < start.size(); ++axis)
    coordinates.push_back(add(multiply(point.coordinates[axis], stride[axis], point.width),
                              nest_.dim(start[axis]), point.width));
  return evaluate(op.operands[0], withCoordinates(point, std::move(coordinates)));
}

Value *LaneEvaluator::emitReverse(const Op &op, const Point &point) {
  const Shape &shape = region_.type(op.result()).shape;
  std::vector<Coordinate> coordinates = point.coordinates;
  for (int64_t axis : op.attributes.integers(AttrKey::Axes)) {
    Coordinate &coordinate = coordinates[static_cast<size_t>(axis)];
    const Index last = nest_.subtract(nest_.dim(shape[static_cast<size_t>(axis)]), 1);
    coordinate = add(multiply(coordinate, -1, point.width), last, point.width);
  }
  return evaluate(op.operands[0], withCoordinates(point, std::move(coordinates)));
}

Value *LaneEvaluator::emitPad(const Op &op, const Point &point) {
  const Shape &shape = region_.type(op.operands[0]).shape;
  const auto &low = op.attributes.dims(AttrKey::Low);
  const auto &high = op.attributes.dims(AttrKey::High);
  const auto &stride = op.attributes.integers(AttrKey::Stride);
  std::vector<Coordinate> coordinates;
  std::vector<Condition> conditions;
  const uint32_t width = point.width;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (low[axis] == Dim(0) && high[axis] == Dim(0) && stride[axis] == 1) {
      coordinates.push_back(point.coordinates[axis]);
      continue;
    }
    const Index size = nest_.dim(shape[axis]);
    Coordinate shifted =
        add(point.coordinates[axis], nest_.multiply(nest_.dim(low[axis]), -1), width);
    conditions.push_back(compare(llvm::CmpInst::ICMP_SGE, shifted, 0, width));
    const Index last = nest_.multiply(nest_.subtract(size, 1), stride[axis]);
    conditions.push_back(compare(llvm::CmpInst::ICMP_SLE, shifted, last, width));
    shifted = clamp(shifted, 0, nest_.maximum(last, 0), width);
    if (stride[axis] != 1) {
      conditions.push_back(
          compare(llvm::CmpInst::ICMP_EQ, remainder(shifted, stride[axis], width), 0, width));
      shifted = divide(shifted, stride[axis], width);
    }
    coordinates.push_back(shifted);
  }
  Point inner = withCoordinates(point, std::move(coordinates));
  guardNonEmpty(inner, shape);
  Value *inside = evaluate(op.operands[0], inner);
  Value *fill = evaluate(op.operands[1], withCoordinates(point, {}));
  if (conditions.empty())
    return inside;
  auto &builder = nest_.at(point.level());
  auto [isInside, level] = conditions[0];
  for (size_t i = 1; i < conditions.size(); ++i) {
    Value *next = conditions[i].value;
    if (next->getType()->isVectorTy() || isInside->getType()->isVectorTy()) {
      next = splat(next, width, builder);
      isInside = splat(isInside, width, builder);
    }
    isInside = builder.CreateAnd(isInside, next);
  }
  if (isInside->getType()->isVectorTy() || inside->getType()->isVectorTy()) {
    inside = splat(inside, width, builder);
    fill = splat(fill, width, builder);
  }
  return builder.CreateSelect(isInside, inside, fill);
}

/// Element k of window i is at i * stride + k * dilation; the axes inside windows follow the last
/// windowed one.
Value *LaneEvaluator::emitWindow(const Op &op, const Point &point) {
  const auto &axes = op.attributes.integers(AttrKey::Axes);
  const auto &stride = op.attributes.integers(AttrKey::Stride);
  const auto &dilation = op.attributes.integers(AttrKey::Dilation);
  const auto inside = static_cast<std::ptrdiff_t>(axes.back() + 1);
  const auto count = static_cast<std::ptrdiff_t>(axes.size());
  std::vector<Coordinate> coordinates = point.coordinates;
  coordinates.erase(coordinates.begin() + inside, coordinates.begin() + inside + count);
  for (size_t i = 0; i < axes.size(); ++i) {
    Coordinate &coordinate = coordinates[static_cast<size_t>(axes[i])];
    const Coordinate &k = point.coordinates[static_cast<size_t>(inside) + i];
    coordinate = add(multiply(coordinate, stride[i], point.width),
                     multiply(k, dilation[i], point.width), point.width);
  }
  return evaluate(op.operands[0], withCoordinates(point, std::move(coordinates)));
}

Value *LaneEvaluator::emitConcat(const Op &op, const Point &point) {
  const auto axis = static_cast<size_t>(op.attributes.integer(AttrKey::Axis));
  const uint32_t width = point.width;
  Value *result = nullptr;
  Dim begin = 0;
  for (ValueId operand : op.operands) {
    const Shape &shape = region_.type(operand).shape;
    const Index size = nest_.dim(shape[axis]);
    Point inner = point;
    Coordinate &coordinate = inner.coordinates[axis];
    const Index offset = nest_.dim(begin);
    begin += shape[axis];
    coordinate = add(coordinate, nest_.multiply(offset, -1), width);
    if (op.operands.size() > 1)
      coordinate = clamp(coordinate, 0, nest_.subtract(size, 1), width);
    // Other axes are as long as the result's and so not empty here.
    guardNonEmpty(inner, size);
    Value *value = evaluate(operand, inner);
    if (!result) {
      result = value;
      continue;
    }
    Condition isHere = compare(llvm::CmpInst::ICMP_SGE, point.coordinates[axis], offset, width);
    auto &builder = nest_.at(point.level());
    if (isHere.value->getType()->isVectorTy() || value->getType()->isVectorTy() ||
        result->getType()->isVectorTy()) {
      value = splat(value, width, builder);
      result = splat(result, width, builder);
    }
    result = builder.CreateSelect(isHere.value, value, result);
  }
  return result;
}

Coordinate LaneEvaluator::clampedIndex(ValueId indices, const Point &at, Index size) {
  Value *number = evaluate(indices, at);
  Point uniform = at;
  const bool hasLanes = number->getType()->isVectorTy();
  if (!hasLanes)
    uniform.mask = nullptr;
  const uint32_t level = uniform.level();
  auto &builder = nest_.at(level);
  number = builder.CreateSExt(number, number->getType()->getWithNewType(builder.getInt64Ty()));
  Coordinate coordinate =
      hasLanes ? Coordinate::fromLanes(number, level) : Coordinate(Index(number, level));
  return clamp(coordinate, 0, nest_.subtract(size, 1), at.width);
}

Value *LaneEvaluator::emitGather(const Op &op, const Point &point) {
  const auto axis = static_cast<std::ptrdiff_t>(op.attributes.integer(AttrKey::Axis));
  const auto indexRank = static_cast<std::ptrdiff_t>(region_.type(op.operands[1]).rank());
  const Index size = nest_.dim(region_.type(op.operands[0]).shape[static_cast<size_t>(axis)]);
  const auto begin = point.coordinates.begin();
  const Point at = withCoordinates(point, {begin + axis, begin + axis + indexRank});
  std::vector<Coordinate> coordinates(begin, begin + axis);
  coordinates.push_back(clampedIndex(op.operands[1], at, size));
  coordinates.insert(coordinates.end(), begin + axis + indexRank, point.coordinates.end());
  Point inner = withCoordinates(point, std::move(coordinates));
  guardNonEmpty(inner, size);
  return zeroIfEmpty(evaluate(op.operands[0], inner), size, point);
}

Value *LaneEvaluator::emitPick(const Op &op, const Point &point) {
  const Index size = nest_.dim(region_.type(op.operands[0]).shape.back());
  Point inner = point;
  inner.coordinates.push_back(clampedIndex(op.operands[1], point, size));
  guardNonEmpty(inner, size);
  return zeroIfEmpty(evaluate(op.operands[0], inner), size, point);
}

Value *LaneEvaluator::emitOneHot(const Op &op, const Point &point) {
  Point row = point;
  row.coordinates.pop_back();
  Value *index = evaluate(op.operands[0], row);
  const Coordinate &column = point.coordinates.back();
  Value *number = column.isUniform() ? nest_.value(column.base) : lanesOf(column, point.width);
  auto &builder = nest_.at(point.level());
  index = builder.CreateSExt(index, index->getType()->getWithNewType(builder.getInt64Ty()));
  if (number->getType()->isVectorTy() || index->getType()->isVectorTy()) {
    number = splat(number, point.width, builder);
    index = splat(index, point.width, builder);
  }
  Value *isHot = builder.CreateICmpEQ(index, number);
  return emitConvert(DType::Bool, region_.type(op.result()).dtype, isHot, builder);
}

Value *LaneEvaluator::emitIota(const Op &op, const Point &point) {
  const auto axis = static_cast<size_t>(op.attributes.integer(AttrKey::Axis));
  const Coordinate &coordinate = point.coordinates[axis];
  Value *number =
      coordinate.isUniform() ? nest_.value(coordinate.base) : lanesOf(coordinate, point.width);
  return emitConvert(DType::I64, region_.type(op.result()).dtype, number, nest_.at(point.level()));
}

Value *LaneEvaluator::emitConstant(const Op &op, const Point &point) {
  const Literal &literal = op.attributes.literal();
  const Type &type = region_.type(op.result());
  const uint32_t size = byteSize(type.dtype);
  auto element = [&](size_t index) -> llvm::Constant * {
    uint64_t bits = 0;
    std::copy_n(reinterpret_cast<const unsigned char *>(literal.bytes.data()) + index * size, size,
                reinterpret_cast<unsigned char *>(&bits));
    llvm::Type *scalar = scalarType(type.dtype);
    if (type.dtype == DType::F32)
      return llvm::ConstantFP::get(
          scalar, llvm::APFloat(llvm::APFloat::IEEEsingle(), llvm::APInt(32, bits)));
    if (type.dtype == DType::F64)
      return llvm::ConstantFP::get(
          scalar, llvm::APFloat(llvm::APFloat::IEEEdouble(), llvm::APInt(64, bits)));
    return llvm::ConstantInt::get(scalar, type.dtype == DType::Bool ? uint64_t(bits != 0) : bits);
  };
  if (literal.count() == 1)
    return element(0);
  auto known = memory_.find(op.result());
  if (known == memory_.end()) {
    llvm::Module &module = *nest_.function().getParent();
    llvm::StringRef bytes(reinterpret_cast<const char *>(literal.bytes.data()),
                          literal.bytes.size());
    auto *data = llvm::ConstantDataArray::getRaw(bytes, literal.count(), memoryType(type.dtype));
    auto *global =
        new llvm::GlobalVariable(module, data->getType(), true, llvm::GlobalValue::InternalLinkage,
                                 data, nest_.function().getName() + ".constant");
    global->setAlignment(llvm::Align(64));
    bindMemory(op.result(), global);
    known = memory_.find(op.result());
  }
  return load(known->second, point);
}

} // namespace apr::codegen
