// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/interp/index_space.h"

#include <algorithm>
#include <cstring>

namespace apr::interp {

void copyElement(const Tensor &from, int64_t fromIndex, Tensor &to, int64_t toIndex) {
  size_t size = byteSize(to.dtype);
  std::memcpy(to.data.data() + static_cast<size_t>(toIndex) * size,
              from.data.data() + static_cast<size_t>(fromIndex) * size, size);
}

namespace {

/// result[i] = source[base + the i-th offset of the space], the space having the result's shape.
void gatherFrom(Evaluation &e, int64_t base, const StridedSpace &space) {
  Tensor &out = e.result();
  int64_t count = out.count();
  for (int64_t i = 0; i < count; ++i)
    copyElement(e.operand(0), base + space.offset(i), out, i);
}

void requireDType(const Evaluation &e, const Tensor &operand) {
  e.require(operand.dtype == e.resultDType(), "needs operands and result of one dtype");
}

} // namespace

void evalReshape(Evaluation &e) {
  const Tensor &x = e.operand(0);
  requireDType(e, x);
  e.require(x.count() == checkedCount(e.resultExtents()),
            "cannot give " + str(x.shape) + " the shape " + str(e.resultExtents()));
  e.result().data = x.data;
}

void evalTranspose(Evaluation &e) {
  const Tensor &x = e.operand(0);
  requireDType(e, x);
  const auto &perm = e.attributes().integers(AttrKey::Perm);
  Extents strides = rowMajorStrides(x.shape);
  StridedSpace space;
  e.require(perm.size() == x.shape.size() && perm.size() == e.resultExtents().size(),
            "needs one entry of perm for each axis");
  for (size_t i = 0; i < perm.size(); ++i) {
    auto from = static_cast<size_t>(perm[i]);
    e.require(from < x.shape.size() && x.shape[from] == e.resultExtents()[i],
              "has a result of another shape than the permuted operand");
    space.addAxis(x.shape[from], strides[from]);
  }
  gatherFrom(e, 0, space);
}

void evalBroadcast(Evaluation &e) {
  const Tensor &x = e.operand(0);
  requireDType(e, x);
  const auto &axes = e.attributes().integers(AttrKey::Axes);
  e.require(axes.size() == x.shape.size(), "needs one entry of axes for each axis of the operand");
  Extents operandStrides = rowMajorStrides(x.shape);
  Extents strides(e.resultExtents().size(), 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    auto to = static_cast<size_t>(axes[i]);
    e.require(to < strides.size() && e.resultExtents()[to] == x.shape[i],
              "has an axis of another size than the operand's");
    strides[to] = operandStrides[i];
  }
  gatherFrom(e, 0, {e.resultExtents(), strides});
}

void evalSlice(Evaluation &e) {
  const Tensor &x = e.operand(0);
  requireDType(e, x);
  Extents start = e.evaluate(e.attributes().dims(AttrKey::Start));
  Extents limit = e.evaluate(e.attributes().dims(AttrKey::Limit));
  const auto &stride = e.attributes().integers(AttrKey::Stride);
  e.require(start.size() == x.shape.size() && limit.size() == start.size() &&
                stride.size() == start.size() && e.resultExtents().size() == start.size(),
            "needs one entry of start, limit and stride for each axis");
  Extents strides = rowMajorStrides(x.shape);
  StridedSpace space;
  int64_t base = 0;
  for (size_t i = 0; i < start.size(); ++i) {
    e.require(0 <= start[i] && start[i] <= limit[i] && limit[i] <= x.shape[i] && stride[i] >= 1,
              "leaves the bounds of its operand " + str(x.shape));
    int64_t length = limit[i] - start[i];
    int64_t size = length / stride[i] + (length % stride[i] != 0 ? 1 : 0);
    e.require(size == e.resultExtents()[i], "has a result of another size than its range");
    // Only in an empty tensor can these products pass the operand's end, and there nothing is read.
    auto scale = static_cast<uint64_t>(strides[i]);
    base =
        static_cast<int64_t>(static_cast<uint64_t>(base) + static_cast<uint64_t>(start[i]) * scale);
    space.addAxis(size, static_cast<int64_t>(static_cast<uint64_t>(stride[i]) * scale));
  }
  gatherFrom(e, base, space);
}

void evalPad(Evaluation &e) {
  const Tensor &x = e.operand(0), &fill = e.operand(1);
  requireDType(e, x);
  requireDType(e, fill);
  Extents low = e.evaluate(e.attributes().dims(AttrKey::Low));
  Extents high = e.evaluate(e.attributes().dims(AttrKey::High));
  const auto &stride = e.attributes().integers(AttrKey::Stride);
  const Extents &extents = e.resultExtents();
  e.require(low.size() == x.shape.size() && high.size() == low.size() &&
                stride.size() == low.size() && extents.size() == low.size() && fill.shape.empty(),
            "needs a scalar fill and one entry of low, high and stride for each axis");
  Tensor &out = e.result();
  int64_t outCount = out.count(), count = x.count();
  for (int64_t i = 0; i < outCount; ++i)
    copyElement(fill, 0, out, i);
  Extents strides = rowMajorStrides(extents);
  StridedSpace space;
  int64_t base = 0;
  for (size_t i = 0; i < low.size() && count > 0; ++i) {
    // The last element must land inside; a result that was allocated bounds all the products.
    int64_t room = extents[i] - low[i];
    e.require(low[i] >= 0 && stride[i] >= 1 && room >= 1 &&
                  x.shape[i] - 1 <= (room - 1) / stride[i],
              "cuts off elements of its operand " + str(x.shape));
    base += low[i] * strides[i];
    space.addAxis(x.shape[i], x.shape[i] == 1 ? 0 : stride[i] * strides[i]);
  }
  for (int64_t i = 0; i < count; ++i)
    copyElement(x, i, out, base + space.offset(i));
}

void evalReverse(Evaluation &e) {
  const Tensor &x = e.operand(0);
  requireDType(e, x);
  e.require(x.shape == e.resultExtents(), "needs operand and result of one shape");
  Extents strides = rowMajorStrides(x.shape);
  int64_t last = 0;
  for (int64_t axis : e.attributes().integers(AttrKey::Axes)) {
    auto at = static_cast<size_t>(axis);
    e.require(at < strides.size(), "names an axis that does not exist");
    if (x.count() > 0)
      last += (x.shape[at] - 1) * strides[at];
    strides[at] = -strides[at];
  }
  gatherFrom(e, last, {x.shape, strides});
}

void evalConcat(Evaluation &e) {
  const Extents &extents = e.resultExtents();
  size_t axis = e.axis(AttrKey::Axis, extents.size());
  Tensor &out = e.result();
  Extents strides = rowMajorStrides(extents);
  int64_t start = 0;
  for (size_t part = 0; part < e.operandCount(); ++part) {
    const Tensor &x = e.operand(part);
    requireDType(e, x);
    Extents expected = extents;
    e.require(x.shape.size() == extents.size(), "needs operands of one rank");
    expected[axis] = x.shape[axis];
    e.require(x.shape == expected && x.shape[axis] <= extents[axis] - start,
              "has operands that do not fit its result " + str(extents));
    StridedSpace space(x.shape, strides);
    int64_t count = x.count();
    for (int64_t i = 0; i < count; ++i)
      copyElement(x, i, out, start * strides[axis] + space.offset(i));
    start += x.shape[axis];
  }
  e.require(start == extents[axis], "has operands that do not fill its result " + str(extents));
}

} // namespace apr::interp
