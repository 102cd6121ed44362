// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/interp/extremum.h"
#include "ir/interp/index_space.h"
#include "ir/interp/integer.h"
#include "ir/interp/reduction.h"

#include <algorithm>
#include <numeric>

namespace apr::interp {

BoundOrder bindOrder(const Evaluation &e, const Order &order) {
  e.require(!order.problem(), "has a malformed order");
  BoundOrder bound;
  const Order *inner = &order;
  for (; inner->kind() == Order::Kind::Ranges; inner = &inner->inner())
    bound.rangeCounts.push_back(e.evaluate(inner->count()));
  if (inner->kind() == Order::Kind::Tree)
    inner = &inner->inner();
  bound.leaf = inner->kind();
  bound.length = inner->length();
  bound.width = inner->width();
  return bound;
}

namespace {

/// The operand's axes divided into those that stay and those that are reduced.
struct ReducedSpace {
  StridedSpace kept;
  StridedSpace reduced;
  bool includesLastAxis = false;
};

ReducedSpace divideAxes(const Evaluation &e) {
  const Tensor &x = e.operand(0);
  const auto &axes = e.attributes().integers(AttrKey::Axes);
  Extents strides = rowMajorStrides(x.shape), kept;
  ReducedSpace space;
  for (size_t axis = 0; axis < x.shape.size(); ++axis) {
    bool isReduced = std::binary_search(axes.begin(), axes.end(), static_cast<int64_t>(axis));
    (isReduced ? space.reduced : space.kept).addAxis(x.shape[axis], strides[axis]);
    if (!isReduced)
      kept.push_back(x.shape[axis]);
    space.includesLastAxis = isReduced;
  }
  e.require(kept == e.resultExtents(), "has a result of another shape than its kept axes");
  return space;
}

/// result[i] = reduce(term, count) where term(k) is the k-th reduced element.
template <typename T, typename R, typename Reduce>
void reduceEach(Evaluation &e, const ReducedSpace &space, Reduce reduce) {
  auto x = e.elements<T>(0);
  auto out = e.resultElements<R>();
  int64_t count = space.reduced.count();
  for (size_t i = 0; i < out.size(); ++i) {
    int64_t base = space.kept.offset(static_cast<int64_t>(i));
    out[i] = reduce(
        [&](int64_t k) { return x[static_cast<size_t>(base + space.reduced.offset(k))]; }, count);
  }
}

template <typename T> T lowest() {
  if constexpr (std::is_floating_point_v<T>)
    return -std::numeric_limits<T>::infinity();
  else
    return std::numeric_limits<T>::min();
}

template <typename T> T highest() {
  if constexpr (std::is_floating_point_v<T>)
    return std::numeric_limits<T>::infinity();
  else
    return std::numeric_limits<T>::max();
}

/// The stated order or the default one.
BoundOrder orderOf(const Evaluation &e, const ReducedSpace &space) {
  return bindOrder(
      e, e.attributes().has(AttrKey::Order)
             ? e.attributes().order()
             : defaultSumOrder(space.includesLastAxis ? LastAxis::Reduced : LastAxis::Kept));
}

} // namespace

void evalSum(Evaluation &e) {
  ReducedSpace space = divideAxes(e);
  BoundOrder bound = orderOf(e, space);
  visitNumeric(e, e.operand(0).dtype, [&](auto zero) {
    using T = decltype(zero);
    auto add = [](T x, T y) -> T {
      if constexpr (std::is_floating_point_v<T>)
        return x + y;
      else
        return wrapAdd(x, y);
    };
    reduceEach<T, T>(e, space, [&](auto term, int64_t count) {
      return reduceInOrder<T>(
          bound, count, [&](T sum, int64_t k) { return add(sum, term(k)); }, add);
    });
  });
}

void evalProduct(Evaluation &e) {
  ReducedSpace space = divideAxes(e);
  BoundOrder bound = orderOf(e, space);
  visitNumeric(e, e.operand(0).dtype, [&](auto zero) {
    using T = decltype(zero);
    auto multiply = [](T x, T y) -> T {
      if constexpr (std::is_floating_point_v<T>)
        return x * y;
      else
        return wrapMul(x, y);
    };
    reduceEach<T, T>(e, space, [&](auto term, int64_t count) {
      return multiplyInOrder<T>(
          bound, count, [&](T product, int64_t k) { return multiply(product, term(k)); }, multiply);
    });
  });
}

namespace {

/// The dtype that extrema compare: bools, stored as 0 and 1, as those.
DType comparedType(const Evaluation &e) {
  DType dtype = e.operand(0).dtype;
  return dtype == DType::Bool ? DType::U8 : dtype;
}

} // namespace

void evalReduceMax(Evaluation &e) {
  visitNumeric(e, comparedType(e), [&](auto zero) {
    using T = decltype(zero);
    reduceEach<T, T>(e, divideAxes(e), [](auto term, int64_t count) {
      T best = lowest<T>();
      for (int64_t k = 0; k < count; ++k)
        best = maximum(best, term(k));
      return best;
    });
  });
}

void evalReduceMin(Evaluation &e) {
  visitNumeric(e, comparedType(e), [&](auto zero) {
    using T = decltype(zero);
    reduceEach<T, T>(e, divideAxes(e), [](auto term, int64_t count) {
      T best = highest<T>();
      for (int64_t k = 0; k < count; ++k)
        best = minimum(best, term(k));
      return best;
    });
  });
}

namespace {

/// The first NaN, else the first element that `isBetter` than all before it.
template <typename IsBetter> void evalArgExtremum(Evaluation &e, IsBetter isBetter) {
  visitNumeric(e, e.operand(0).dtype, [&](auto zero) {
    using T = decltype(zero);
    reduceEach<T, int32_t>(e, divideAxes(e), [&](auto term, int64_t count) {
      int64_t best = count == 0 ? -1 : 0;
      for (int64_t k = 1; k < count && !isNaN(term(best)); ++k)
        if (isNaN(term(k)) || isBetter(term(k), term(best)))
          best = k;
      return static_cast<int32_t>(best);
    });
  });
}

/// Calls f with the base offset of every line along the axis, the line's length and its stride.
template <typename F> void forEachLine(const Evaluation &e, F f) {
  const Extents &extents = e.operand(0).shape;
  size_t axis = e.axis(AttrKey::Axis, extents.size());
  e.require(extents == e.resultExtents(), "has a result of another shape");
  if (checkedCount(extents) == 0)
    return; // there may be very many lines without elements
  Extents strides = rowMajorStrides(extents);
  StridedSpace lines;
  for (size_t i = 0; i < extents.size(); ++i)
    if (i != axis)
      lines.addAxis(extents[i], strides[i]);
  for (int64_t line = 0; line < lines.count(); ++line)
    f(lines.offset(line), extents[axis], strides[axis]);
}

} // namespace

void evalArgMax(Evaluation &e) {
  evalArgExtremum(e, [](auto x, auto best) { return x > best; });
}

void evalArgMin(Evaluation &e) {
  evalArgExtremum(e, [](auto x, auto best) { return x < best; });
}

void evalCumSum(Evaluation &e) {
  visitNumeric(e, e.operand(0).dtype, [&](auto zero) {
    using T = decltype(zero);
    auto x = e.elements<T>(0);
    auto out = e.resultElements<T>();
    forEachLine(e, [&](int64_t base, int64_t count, int64_t stride) {
      T sum = T(-0.0);
      for (int64_t i = 0; i < count; ++i) {
        auto at = static_cast<size_t>(base + i * stride);
        if constexpr (std::is_floating_point_v<T>)
          sum += x[at];
        else
          sum = wrapAdd(sum, x[at]);
        out[at] = sum;
      }
    });
  });
}

void evalArgSort(Evaluation &e) {
  bool isDescending = e.attributes().integerOr0(AttrKey::Descending) != 0;
  visitNumeric(e, e.operand(0).dtype, [&](auto zero) {
    using T = decltype(zero);
    auto x = e.elements<T>(0);
    auto out = e.resultElements<int32_t>();
    forEachLine(e, [&](int64_t base, int64_t count, int64_t stride) {
      auto element = [&](int64_t i) { return x[static_cast<size_t>(base + i * stride)]; };
      std::vector<int64_t> order(static_cast<size_t>(count));
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) {
        T a = element(i), b = element(j);
        if (isNaN(a) || isNaN(b))
          return !isNaN(a);
        return isDescending ? a > b : a < b;
      });
      for (int64_t i = 0; i < count; ++i)
        out[static_cast<size_t>(base + i * stride)] =
            static_cast<int32_t>(order[static_cast<size_t>(i)]);
    });
  });
}

} // namespace apr::interp
