// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/interp/index_space.h"
#include "ir/interp/integer.h"

#include <algorithm>

namespace apr::interp {

namespace {

int64_t indexAt(const Evaluation &e, size_t operand, int64_t position) {
  auto i = static_cast<size_t>(position);
  switch (e.operand(operand).dtype) {
  case DType::I32:
    return e.elements<int32_t>(operand)[i];
  case DType::I64:
    return e.elements<int64_t>(operand)[i];
  case DType::F32:
  case DType::F64:
  case DType::Bool:
  case DType::U8:
  case DType::BF16:
    break;
  }
  e.reject("needs i32 or i64 indices");
}

/// An operand [outer.., size, inner..] whose axis is replaced by the indices' shape.
struct IndexedAxis {
  int64_t size;
  int64_t inner;
  int64_t indexCount;

  IndexedAxis(const Evaluation &e, const Extents &replaced) {
    const Extents &extents = e.operand(0).shape, &indices = e.operand(1).shape;
    size_t axis = e.axis(AttrKey::Axis, extents.size());
    auto at = extents.begin() + static_cast<std::ptrdiff_t>(axis);
    Extents expected(extents.begin(), at);
    expected.insert(expected.end(), indices.begin(), indices.end());
    expected.insert(expected.end(), at + 1, extents.end());
    e.require(expected == replaced, "has shapes that do not fit");
    size = *at;
    inner = checkedCount(Extents(at + 1, extents.end()));
    indexCount = checkedCount(indices);
  }

  /// Which index an element of the replaced tensor belongs to.
  int64_t indexPosition(int64_t element) const { return element / inner % indexCount; }
  /// The element of the operand that it stands for, for size >= 1.
  int64_t operandElement(int64_t element, int64_t index) const {
    int64_t outer = element / inner / indexCount;
    return (outer * size + std::clamp<int64_t>(index, 0, size - 1)) * inner + element % inner;
  }
};

} // namespace

void evalGather(Evaluation &e) {
  IndexedAxis axis(e, e.resultExtents());
  Tensor &out = e.result();
  int64_t count = axis.size == 0 ? 0 : out.count();
  for (int64_t i = 0; i < count; ++i)
    copyElement(e.operand(0), axis.operandElement(i, indexAt(e, 1, axis.indexPosition(i))), out, i);
}

void evalScatterAdd(Evaluation &e) {
  const Tensor &updates = e.operand(2);
  IndexedAxis axis(e, updates.shape);
  e.require(e.operand(0).shape == e.resultExtents(), "has a result of another shape");
  e.result().data = e.operand(0).data;
  int64_t count = axis.size == 0 ? 0 : updates.count();
  visitNumeric(e, updates.dtype, [&](auto zero) {
    using T = decltype(zero);
    auto add = e.elements<T>(2);
    auto out = e.resultElements<T>();
    for (int64_t i = 0; i < count; ++i) {
      int64_t index = indexAt(e, 1, axis.indexPosition(i));
      T &element = out[static_cast<size_t>(axis.operandElement(i, index))];
      if constexpr (std::is_floating_point_v<T>)
        element += add[static_cast<size_t>(i)];
      else
        element = wrapAdd(element, add[static_cast<size_t>(i)]);
    }
  });
}

void evalScatterSet(Evaluation &e) {
  const Tensor &updates = e.operand(2);
  IndexedAxis axis(e, updates.shape);
  e.require(e.operand(0).shape == e.resultExtents() && updates.dtype == e.resultDType(),
            "has a result of another type");
  e.result().data = e.operand(0).data;
  int64_t count = axis.size == 0 ? 0 : updates.count();
  for (int64_t i = 0; i < count; ++i)
    copyElement(updates, i, e.result(),
                axis.operandElement(i, indexAt(e, 1, axis.indexPosition(i))));
}

void evalPick(Evaluation &e) {
  const Tensor &x = e.operand(0);
  Extents rows(x.shape.begin(), x.shape.empty() ? x.shape.end() : x.shape.end() - 1);
  e.require(!x.shape.empty() && rows == e.operand(1).shape && rows == e.resultExtents(),
            "needs indices and a result of the operand's shape without its last axis");
  Tensor &out = e.result();
  int64_t classes = x.shape.back(), count = classes == 0 ? 0 : out.count();
  for (int64_t i = 0; i < count; ++i) {
    int64_t index = std::clamp<int64_t>(indexAt(e, 1, i), 0, classes - 1);
    copyElement(x, i * classes + index, out, i);
  }
}

void evalOneHot(Evaluation &e) {
  const Extents &extents = e.resultExtents();
  e.require(!extents.empty() && Extents(extents.begin(), extents.end() - 1) == e.operand(0).shape,
            "needs a result of the indices' shape and one more axis");
  int64_t classes = extents.back();
  visitAny(e, e.resultDType(), [&](auto zero) {
    using T = decltype(zero);
    auto out = e.resultElements<T>();
    for (size_t i = 0; i < out.size(); ++i) {
      auto position = static_cast<int64_t>(i);
      out[i] = indexAt(e, 0, position / classes) == position % classes ? T(1) : T(0);
    }
  });
}

} // namespace apr::interp
