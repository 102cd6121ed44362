// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that copy elements to other places.
#include "tools/graph_generator/graph_grower.h"

#include "ir/convolution.h"

#include <algorithm>

namespace apr::fuzz {

bool GraphGrower::addMovement(OpKind kind) {
  switch (opInfo(kind).family) {
  case OpFamily::Reshape:
    return addReshape();
  case OpFamily::Transpose:
    return addTranspose();
  case OpFamily::Broadcast:
    return addBroadcast();
  case OpFamily::Slice:
    return addSlice();
  case OpFamily::Pad:
    return addPad();
  case OpFamily::Concat:
    return addConcat();
  case OpFamily::Reverse:
    return addReverse();
  default:
    return addWindow();
  }
}

bool GraphGrower::addReshape() {
  const ValueId x = operand(Elements::Any);
  Shape shape = graph_.type(x).shape;
  const size_t rank = shape.size();
  switch (random_.below(5)) {
  case 0:
    shape = {elementCount(shape)};
    break;
  case 1:
    if (rank >= 5)
      return false;
    shape.insert(shape.begin() + static_cast<ptrdiff_t>(random_.below(rank + 1)), Dim(1));
    break;
  case 2:
    std::erase(shape, Dim(1));
    break;
  case 3: {
    if (rank < 2)
      return false;
    const size_t at = random_.below(rank - 1);
    shape[at] *= shape[at + 1];
    shape.erase(shape.begin() + static_cast<ptrdiff_t>(at) + 1);
    break;
  }
  default: {
    if (rank == 0 || rank >= 5)
      return false;
    const size_t at = random_.below(rank);
    const Dim size = shape[at];
    for (int64_t divisor : {4, 3, 2, 8, 16, 5})
      if (auto rest = size.dividedExactlyBy(Dim(divisor)); rest && random_.oneIn(2)) {
        const bool isFirst = random_.oneIn(2);
        shape[at] = isFirst ? Dim(divisor) : *rest;
        shape.insert(shape.begin() + static_cast<ptrdiff_t>(at) + 1,
                     isFirst ? *rest : Dim(divisor));
        break;
      }
  }
  }
  b_.reshape(x, shape);
  return true;
}

bool GraphGrower::addTranspose() {
  const ValueId x = operand(Elements::Any, random_.oneIn(10) ? 0 : 2);
  std::vector<int64_t> perm;
  for (size_t i = 0; i < graph_.type(x).rank(); ++i)
    perm.insert(perm.begin() + static_cast<ptrdiff_t>(random_.below(i + 1)),
                static_cast<int64_t>(i));
  b_.transpose(x, perm);
  return true;
}

bool GraphGrower::addBroadcast() {
  const ValueId x = operand(Elements::Any);
  Shape shape = graph_.type(x).shape;
  std::vector<bool> isOld(shape.size(), true);
  for (size_t n = 1 + random_.below(2); n-- > 0 && shape.size() < 4;) {
    const auto at = static_cast<ptrdiff_t>(random_.below(shape.size() + 1));
    shape.insert(shape.begin() + at, random_.pick(style_.sizes));
    isOld.insert(isOld.begin() + at, false);
  }
  if (!fits(shape))
    return false;
  std::vector<int64_t> axes;
  for (size_t i = 0; i < isOld.size(); ++i)
    if (isOld[i])
      axes.push_back(static_cast<int64_t>(i));
  b_.broadcast(x, shape, axes);
  return true;
}

bool GraphGrower::addSlice() {
  const ValueId x = operand(Elements::Any, 1);
  const Shape shape = graph_.type(x).shape;
  Shape start, limit;
  std::vector<int64_t> stride;
  for (const Dim &dim : shape) {
    const int64_t size = sizeOf(dim);
    int64_t first = 0, cut = 0;
    if (!random_.oneIn(3)) {
      first = random_.between(0, dim.isConstant() ? size : std::min<int64_t>(size, 2));
      cut = random_.between(0, std::min<int64_t>(size - first, random_.oneIn(2) ? 2 : size));
    }
    start.emplace_back(first);
    limit.push_back(dim - Dim(cut));
    stride.push_back(random_.oneIn(3) ? random_.between(2, 3) : 1);
  }
  b_.slice(x, start, limit, stride);
  return true;
}

bool GraphGrower::addPad() {
  const ValueId x = operand(Elements::Any, 1);
  const Type type = graph_.type(x);
  Shape low, high, result;
  std::vector<int64_t> stride;
  for (const Dim &dim : type.shape) {
    const bool isPadded = !random_.oneIn(3);
    const int64_t step = isPadded && random_.oneIn(3) ? random_.between(2, 3) : 1;
    low.emplace_back(isPadded ? random_.between(0, 3) : 0);
    // What follows the last element of a stride may be cut, but elements of none have nothing.
    high.emplace_back(
        isPadded ? random_.between(sizeOf(dim) > 0 && dim.isConstant() ? 1 - step : 0, 3) : 0);
    stride.push_back(step);
    result.push_back(low.back() + dim * Dim(step) + high.back());
  }
  if (!fits(result))
    return false;
  const ValueId fill = valueOf({type.dtype, {}});
  b_.pad(x, fill, low, high, stride);
  return true;
}

bool GraphGrower::addConcat() {
  const ValueId x = operand(Elements::Any, 1);
  const Type type = graph_.type(x);
  const size_t axis = random_.below(type.rank());
  std::vector<ValueId> parts{x};
  Dim total = type.shape[axis];
  for (size_t n = random_.below(3); n-- > 0;) {
    Type part = type;
    if (random_.oneIn(2))
      part.shape[axis] = random_.oneIn(4) ? Dim(0) : random_.pick(style_.sizes);
    total += part.shape[axis];
    if (!fits(part.shape))
      return false;
    parts.insert(parts.begin() + static_cast<ptrdiff_t>(random_.below(parts.size() + 1)),
                 valueOf(part));
  }
  Shape result = type.shape;
  result[axis] = total;
  if (!fits(result))
    return false;
  b_.concat(parts, static_cast<int64_t>(axis));
  return true;
}

bool GraphGrower::addReverse() {
  const ValueId x = operand(Elements::Any, 1);
  b_.create(OpKind::Reverse, {x}, {{AttrKey::Axes, drawAxes(graph_.type(x).rank())}});
  return true;
}

bool GraphGrower::addWindow() {
  const ValueId x = operand(Elements::Any, 1);
  const Shape shape = graph_.type(x).shape;
  std::vector<int64_t> axes, size, stride, dilation;
  for (size_t i = 0; i < shape.size(); ++i) {
    const int64_t length = sizeOf(shape[i]), taps = random_.between(1, 4);
    const int64_t spread = random_.oneIn(4) ? 2 : 1;
    if (axes.size() == 2 || random_.oneIn(2) || (taps - 1) * spread + 1 > length)
      continue;
    axes.push_back(static_cast<int64_t>(i));
    size.push_back(taps);
    stride.push_back(random_.oneIn(3) ? random_.between(2, 3) : 1);
    dilation.push_back(spread);
  }
  int64_t taps = 1;
  for (int64_t count : size)
    taps *= count;
  if (axes.empty() || shape.size() + axes.size() > 5 ||
      countOf(shape) * taps > style_.maximumElements)
    return false;
  buildWindow(b_, x, axes, size, stride, dilation);
  return true;
}

} // namespace apr::fuzz
